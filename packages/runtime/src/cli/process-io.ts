import { createInterface } from "node:readline/promises";

import type { CliIo } from "./io.ts";

/** The terminal that this process was started in. */
export function processIo(): CliIo {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => abort.abort());
  // A reader that left (`astromeshctl logs | head`) is no failure of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      process.stderr.write(text);
    },
    isTty: process.stdout.isTTY,
    canAsk: process.stdin.isTTY && process.stderr.isTTY,
    columns: process.stdout.columns ?? 100,
    env: process.env,
    cwd: process.cwd(),
    readLine: createLineReader(abort.signal),
    signal: abort.signal,
  };
}

/** Reads lines one by one from standard input, typed or piped; none is lost between two questions. */
function createLineReader(signal: AbortSignal): (prompt: string) => Promise<string | null> {
  let lines: AsyncIterator<string> | null = null;
  return async (prompt) => {
    if (lines === null) {
      const reader = createInterface({ input: process.stdin, terminal: false });
      signal.addEventListener("abort", () => reader.close(), { once: true });
      lines = reader[Symbol.asyncIterator]();
    }
    process.stderr.write(prompt);
    const next = await lines.next();
    return next.done === true ? null : next.value;
  };
}
