import type { JsonObject } from "../core/index.ts";
import type { Fault } from "./fault.ts";
import { LOG_LEVELS } from "./runtime-schema.ts";
import { suggestion } from "./suggest.ts";

/** What the command line says, as typed; absent: not said. */
export interface Flags {
  /** `--config`: a folder that holds runtime.yaml, or one file. */
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly pidFile?: string | undefined;
  readonly workers?: string | undefined;
}

/** The flags as a layer of settings, under the names of runtime.yaml, with the flag that set each. */
export interface FlagLayer {
  readonly tree: JsonObject;
  readonly names: Readonly<Record<string, string>>;
  /** Null: not said. */
  readonly workers: number | null;
  readonly faults: readonly Fault[];
}

/** Checks the flags. */
export function readFlags(flags: Flags): FlagLayer {
  const faults: Fault[] = [];
  const fail = (name: string, message: string): null => {
    faults.push({ file: null, at: null, path: [name], message });
    return null;
  };
  const whole = (name: string, text: string | undefined, min: number, max: number): number | null => {
    if (text === undefined) return null;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    return fail(name, `expected a whole number from ${min} to ${max}, got "${text.slice(0, 40)}"`);
  };
  const level = (): string | null => {
    if (flags.logLevel === undefined || LOG_LEVELS.some((word) => word === flags.logLevel))
      return flags.logLevel ?? null;
    const got = flags.logLevel.slice(0, 40);
    return fail("--log-level", `expected one of ${LOG_LEVELS.join(", ")}, got "${got}"${suggestion(got, LOG_LEVELS)}`);
  };
  const port = whole("--port", flags.port, 0, 65_535);
  const workers = whole("--workers", flags.workers, 1, 256);
  const logLevel = level();
  const host = flags.host === "" ? fail("--host", "must not be empty") : (flags.host ?? null);
  const tree: JsonObject = {
    api: { ...(host === null ? {} : { host }), ...(port === null ? {} : { port }) },
    observability: logLevel === null ? {} : { log_level: logLevel },
  };
  const names = { "api.host": "--host", "api.port": "--port", "observability.log_level": "--log-level" };
  return { tree, names, workers, faults };
}
