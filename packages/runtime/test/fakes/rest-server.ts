import { onTestFinished } from "vitest";

import { createAuthenticator, createHttpServer, createRestDoor } from "../../src/doors/index.ts";
import type { ApiKey, HttpServer, RestOptions } from "../../src/doors/index.ts";
import { agentDefinition, toolEntry } from "./agent-definition.ts";
import { systemClock } from "./clock.ts";
import { createFakeNode, loadedAgent } from "./fake-node.ts";
import type { FakeNode } from "./fake-node.ts";

/** A REST door on a real port over faked ports. */
export interface RestServer {
  readonly url: string;
  readonly node: FakeNode;
  readonly server: HttpServer;
  /** A request with the test's key, and a JSON body if there is one. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Response>;
}

/** Starts one for the running test; it is stopped when the test ends. */
export async function startRestServer(
  given: {
    readonly keys?: readonly ApiKey[];
    readonly clock?: FakeNode["clock"];
    readonly limits?: FakeNode["limits"];
    readonly observe?: FakeNode["observe"];
    readonly options?: Partial<RestOptions>;
  } = {},
): Promise<RestServer> {
  const clock = given.clock ?? systemClock;
  const origins = given.options?.corsOrigins === undefined ? {} : { corsOrigins: given.options.corsOrigins };
  const node = createFakeNode({ clock, auth: createAuthenticator({ keys: given.keys ?? [], ...origins }) });
  node.agents.add(
    loadedAgent(
      agentDefinition({ name: "worker", tools: [toolEntry("calculator"), toolEntry("hook", { type: "webhook" })] }),
    ),
  );
  const observe = given.observe === undefined ? {} : { observe: given.observe };
  const door = createRestDoor(
    { ...node, limits: given.limits ?? null, ...observe },
    { nodeName: "here", version: "1.2.3", ...given.options },
  );
  const server = createHttpServer(
    { fetch: door.fetch, drain: node.drain, clock: systemClock, logger: node.logger },
    { host: "127.0.0.1", port: 0 },
  );
  await server.start();
  onTestFinished(() => server.stop({ graceMs: 200 }));
  const url = `http://127.0.0.1:${server.address()?.port}`;
  return {
    url,
    node,
    server,
    call: async (method, path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
  };
}

/** A server-sent event as it came over the wire. */
export interface Frame {
  readonly id?: string;
  readonly event?: string;
  readonly data?: Record<string, unknown>;
  readonly comment?: string;
}

/** Reads a response's events one by one. */
export async function* framesOf(response: Response): AsyncGenerator<Frame> {
  if (response.body === null) return;
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield parseFrame(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
}

function parseFrame(text: string): Frame {
  const frame: Record<string, unknown> = {};
  for (const line of text.split("\n")) {
    if (line.startsWith(":")) frame["comment"] = line.slice(1).trim();
    else if (line.startsWith("data: ")) frame["data"] = JSON.parse(line.slice(6));
    else frame[line.slice(0, line.indexOf(": "))] = line.slice(line.indexOf(": ") + 2);
  }
  return frame;
}
