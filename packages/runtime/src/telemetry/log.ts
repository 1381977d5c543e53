import type { DestinationStream } from "pino";
import { pino } from "pino";

import type { Clock } from "../core/index.ts";
import type { LogFields, Logger, LogLine } from "../core/ports/index.ts";
import { createLogRing } from "./log-ring.ts";
import type { LogRing } from "./log-ring.ts";
import { createRedactor } from "./redact.ts";
import { currentTraceContext } from "./work-context.ts";

/** How much is written: a line of this level or a graver one. */
export type LogLevel = LogLine["level"];

/** Where lines go. */
export interface LogDestination extends DestinationStream {
  /** Writes what is buffered, synchronously. */
  flushSync?(): void;
}

/** The log of a process. */
export interface Log {
  readonly logger: Logger;
  readonly ring: LogRing;
  setLevel(level: LogLevel): void;
  /** Hides these values in every line from now on. */
  hide(secrets: readonly string[]): void;
  /** Writes what is buffered, synchronously; call it before the process exits. */
  flush(): void;
}

/** What a log is made of. */
export interface LogOptions {
  /** @default "info" */
  readonly level?: LogLevel;
  readonly destination: LogDestination;
  readonly clock: Pick<Clock, "now">;
  /** Lines kept for GET /v1/logs. @default 1000 */
  readonly capacity?: number;
}

const GRAVITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Makes a log: JSON lines with `time`, `level`, `msg`, the ids of the current work, and the line's own facts. */
export function createLog(options: LogOptions): Log {
  let level = options.level ?? "info";
  const ring = createLogRing(options.capacity ?? 1_000);
  const redactor = createRedactor();
  const writer = pino(
    { base: null, timestamp: false, level: "debug", formatters: { level: (label) => ({ level: label }) } },
    options.destination,
  );

  const write = (lineLevel: LogLevel, message: string, fields: LogFields): void => {
    if (GRAVITY[lineLevel] < GRAVITY[level]) return;
    const at = options.clock.now();
    const line: LogLine = { at, level: lineLevel, message: redactor.text(message), fields: redactor.fields(fields) };
    writer[lineLevel]({ time: new Date(at).toISOString(), ...line.fields }, line.message);
    ring.push(line);
  };

  return {
    logger: createFieldLogger(write, {}),
    ring,
    setLevel: (next) => (level = next),
    hide: (secrets) => redactor.hide(secrets),
    flush: () => options.destination.flushSync?.(),
  };
}

/**
 * Standard output as a destination: JSON lines, or readable lines with colours when a person reads them.
 *
 * Lines are written asynchronously, so that a slow reader of the pipe does not stall the node.
 */
export async function openStdout(options: {
  readonly pretty: boolean;
  readonly colour: boolean;
}): Promise<LogDestination> {
  if (!options.pretty) return pipeDestination();
  const { default: pretty } = await import("pino-pretty");
  return pretty({ destination: 1, sync: true, colorize: options.colour, translateTime: "SYS:HH:MM:ss.l" });
}

/** How long the last lines may take to be read by whoever holds the other end of the pipe. Milliseconds. */
const LAST_LINES_MS = 1_000;

/** A reader that has stopped reading is waited for while the node lives, and not beyond: it must not hold up the end. */
function pipeDestination(): LogDestination {
  let giveUpAt = Number.POSITIVE_INFINITY;
  const pipe = pino.destination({ dest: 1, sync: false, retryEAGAIN: () => performance.now() < giveUpAt });
  return {
    write: (line) => pipe.write(line),
    flushSync: () => {
      giveUpAt = performance.now() + LAST_LINES_MS;
      try {
        pipe.flushSync();
      } catch {
        // Nobody reads, and nothing is left that could be told so.
      }
    },
  };
}

function createFieldLogger(
  write: (level: LogLevel, message: string, fields: LogFields) => void,
  bound: LogFields,
): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void =>
      write(level, message, { ...bound, ...workIds(), ...fields });
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => createFieldLogger(write, { ...bound, ...fields }),
  };
}

function workIds(): LogFields {
  const { runId, traceId, spanId } = currentTraceContext();
  return {
    ...(runId === undefined ? {} : { run_id: runId }),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    ...(spanId === undefined ? {} : { span_id: spanId }),
  };
}
