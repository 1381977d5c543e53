import type { AstromeshClient } from "@astromesh/client";
import type { Command } from "commander";

import type { CliIo } from "./io.ts";
import { styleFor } from "./output/style.ts";
import type { Style } from "./output/style.ts";

/** Where `--url` points when neither it nor ASTROMESH_URL is given. */
const DEFAULT_URL = "http://localhost:8000";

/** What every command's action gets: the terminal, the node, and how to answer. */
export interface Session {
  readonly io: CliIo;
  readonly style: Style;
  /** `--json`: programs read the answer. */
  readonly json: boolean;
  readonly url: string;
  /** The node's client; loaded when a command first needs it, because `--help` should not wait for it. */
  client(): Promise<AstromeshClient>;
  /** What only this machine can do; given by the entry file, because the command line knows nothing of nodes. */
  readonly local: Local;
  /** Prints the answer: as JSON for programs, else what `human` makes of it. */
  answer(value: unknown, human: () => string): void;
}

/** What a check of configuration files found. */
export interface FileCheck {
  /** `file:line:col message`. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  readonly agents: readonly string[];
  readonly providers: readonly string[];
}

/** What the command line does without a node. */
export interface Local {
  /** Checks the configuration at `path`, or where astromeshd would look. */
  check(path: string | null): Promise<FileCheck>;
}

/** Adds the options that every command takes: which node, which key, and the form of the answer. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--url <url>", `address of the node [$ASTROMESH_URL, else ${DEFAULT_URL}]`)
    .option("--api-key <key>", "key to present [$ASTROMESH_API_KEY]")
    .option("--json", "answer as JSON, for programs");
}

/** The session of one invocation, from the options of the command that was called. */
export function createSession(io: CliIo, local: Local, options: Readonly<Record<string, unknown>>): Session {
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  const url = text(options["url"]) ?? text(io.env["ASTROMESH_URL"]) ?? DEFAULT_URL;
  const apiKey = text(options["apiKey"]) ?? text(io.env["ASTROMESH_API_KEY"]);
  const json = options["json"] === true;
  return {
    io,
    style: styleFor(io),
    json,
    url,
    local,
    client: async () => {
      const { createClient } = await import("@astromesh/client");
      return createClient({ url, ...(apiKey === undefined ? {} : { apiKey }) });
    },
    answer: (value, human) => {
      io.out(json ? `${JSON.stringify(value, null, 2)}\n` : human());
    },
  };
}
