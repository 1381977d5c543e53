import type { AstromeshClient } from "@astromesh/client";
import type { Command } from "commander";

import type { CliIo } from "./io.ts";
import { styleFor } from "./output/style.ts";
import type { Style } from "./output/style.ts";

/** Where `--url` points when neither it nor ASTROMESH_URL is given. */
export const DEFAULT_URL = "http://localhost:8000";

/** What every command's action gets: the terminal, the node, and how to answer. */
export interface Session {
  readonly io: CliIo;
  readonly style: Style;
  /** `--json`: programs read the answer. */
  readonly json: boolean;
  readonly url: string;
  /** The node's client; loaded when a command first needs it, because `--help` should not wait for it. */
  client(): Promise<AstromeshClient>;
  /** Prints the answer: as JSON for programs, else what `human` makes of it. */
  answer(value: unknown, human: () => string): void;
}

/** Adds the options that every command takes: which node, which key, and the form of the answer. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--url <url>", `address of the node [$ASTROMESH_URL, else ${DEFAULT_URL}]`)
    .option("--api-key <key>", "key to present [$ASTROMESH_API_KEY]")
    .option("--json", "answer as JSON, for programs");
}

/** The session of one invocation, from the options of the command that was called. */
export function createSession(io: CliIo, options: Readonly<Record<string, unknown>>): Session {
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  const url = text(options["url"]) ?? text(io.env["ASTROMESH_URL"]) ?? DEFAULT_URL;
  const apiKey = text(options["apiKey"]) ?? text(io.env["ASTROMESH_API_KEY"]);
  const json = options["json"] === true;
  return {
    io,
    style: styleFor(io),
    json,
    url,
    client: async () => {
      const { createClient } = await import("@astromesh/client");
      return createClient({ url, ...(apiKey === undefined ? {} : { apiKey }) });
    },
    answer: (value, human) => {
      io.out(json ? `${JSON.stringify(value, null, 2)}\n` : human());
    },
  };
}
