import type { LogLine } from "../core/ports/index.ts";

/** The last lines of a log, and those to come. */
export interface LogRing {
  push(line: LogLine): void;
  /** The last `count` lines, oldest first. */
  last(count: number): readonly LogLine[];
  /**
   * The last `backlog` lines, then lines as they come, until the signal aborts. A reader that is slow loses the
   * oldest lines that wait for it, and is told how many by a line of the ring's own.
   */
  follow(backlog: number, signal: AbortSignal): AsyncIterable<LogLine>;
}

/**
 * Makes a ring.
 *
 * @param capacity lines kept, and lines that may wait for one reader.
 */
export function createLogRing(capacity: number): LogRing {
  const lines: LogLine[] = [];
  const readers = new Set<(line: LogLine) => void>();

  async function* follow(backlog: number, signal: AbortSignal): AsyncGenerator<LogLine> {
    const waiting = lines.slice(Math.max(0, lines.length - backlog));
    let dropped = 0;
    let wake = (): void => undefined;
    const reader = (line: LogLine): void => {
      waiting.push(line);
      if (waiting.length > capacity) {
        waiting.shift();
        dropped += 1;
      }
      wake();
    };
    const stop = (): void => wake();
    readers.add(reader);
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if (dropped > 0) {
          yield { ...next, level: "warn", message: `${dropped} log lines were dropped for this reader`, fields: {} };
          dropped = 0;
        }
        yield next;
      }
    } finally {
      readers.delete(reader);
      signal.removeEventListener("abort", stop);
    }
  }

  return {
    push(line) {
      lines.push(line);
      // Shifting one element per line off a short array is a memory move; a circular index would save nothing.
      if (lines.length > capacity) lines.shift();
      for (const reader of readers) reader(line);
    },
    last: (count) => lines.slice(Math.max(0, lines.length - count)),
    follow,
  };
}
