import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { TOOLS } from "./scenarios.ts";
import type { ToolName } from "./scenarios.ts";

/** What a tool knows of one call, by its `Idempotency-Key`. */
export interface ToolRecord {
  readonly tool: ToolName;
  /** Requests that came. */
  arrivals: number;
  /** How often the call had its effect. */
  effects: number;
}

/** A call that is held at the tool. */
export interface HeldCall {
  /** Resolves when a call is held. */
  readonly reached: Promise<void>;
  /** Lets it go on; with `drop`, the tool forgets a call that it has not counted, as if it had never come. */
  release(options: { readonly drop: boolean }): void;
}

/** The tools of a campaign: a real server that counts what it is asked to do. */
export interface ToolServer {
  readonly url: string;
  readonly records: ReadonlyMap<string, ToolRecord>;
  /** Holds the next call of a tool, before or after it counts. */
  hold(tool: ToolName, where: "before" | "after"): HeldCall;
  stop(): Promise<void>;
}

interface Gate {
  readonly tool: ToolName;
  readonly where: "before" | "after";
  readonly reach: () => void;
  readonly released: Promise<{ readonly drop: boolean }>;
}

/** What a call came to: the same for every repetition. */
export function receiptOf(key: string): string {
  return `receipt of ${key}`;
}

/** Starts it on a free port. */
export async function startToolServer(): Promise<ToolServer> {
  const records = new Map<string, ToolRecord>();
  let gate: Gate | null = null;

  /** Counts the call; false when it was dropped before it counted. */
  const perform = async (tool: ToolName, key: string): Promise<boolean> => {
    const record = records.get(key) ?? { tool, arrivals: 0, effects: 0 };
    records.set(key, record);
    record.arrivals += 1;
    const here = gate?.tool === tool ? gate : null;
    if (here !== null) gate = null;
    if (here?.where === "before") {
      here.reach();
      if ((await here.released).drop) return false;
    }
    if (TOOLS[tool] !== "idempotent" || record.effects === 0) record.effects += 1;
    if (here?.where === "after") {
      here.reach();
      await here.released;
    }
    return true;
  };

  const server = createServer((request, response) => {
    const tool = (request.url ?? "/").slice(1) as ToolName;
    const key = String(request.headers["idempotency-key"]);
    request.resume();
    const answer = async (): Promise<void> => {
      if (!(await perform(tool, key))) response.destroy();
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(receiptOf(key)));
    };
    void answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    records,
    hold: (tool, where) => {
      let reach = (): void => {};
      let release: HeldCall["release"] = () => {};
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const released = new Promise<{ readonly drop: boolean }>((resolve) => {
        release = resolve;
      });
      const own: Gate = { tool, where, reach, released };
      gate = own;
      return {
        reached,
        release: (options) => {
          if (gate === own) gate = null;
          release(options);
        },
      };
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
