import type { ConfigInput } from "../config/index.ts";
import type { NodeSeams } from "./boot.ts";
import type { CheckReport } from "./check.ts";
import type { DaemonFlags } from "./daemon.ts";

export type { CheckReport } from "./check.ts";
export type { DaemonFlags } from "./daemon.ts";
export type { NodeSeams } from "./boot.ts";
export { readVersion } from "./version.ts";

// Loaded when they are called: `astromeshd --version` and the command line need not wait for a whole node.

/** Runs a daemon until it is told to end. Returns the exit code: 0, 1 (it failed), 2 (wrong use or configuration). */
export async function runDaemon(flags: DaemonFlags, seams?: NodeSeams): Promise<number> {
  const daemon = await import("./daemon.ts");
  return daemon.runDaemon(flags, seams);
}

/** Validates everything that a node would be told: settings, providers, agents and their prompts. Starts nothing. */
export async function checkConfiguration(input: ConfigInput): Promise<CheckReport> {
  const check = await import("./check.ts");
  return check.checkConfiguration(input);
}
