import type { CliIo } from "../../src/cli/index.ts";

/** What a command printed, and a way to type to it. */
export interface FakeCliIo {
  readonly io: CliIo;
  stdout(): string;
  stderr(): string;
  /** Presses Ctrl-C. */
  interrupt(): void;
}

/** A terminal (or pipe) that keeps what is printed. `lines` are what a person types, in order. */
export function fakeCliIo(
  options: {
    readonly isTty?: boolean;
    readonly lines?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
  } = {},
): FakeCliIo {
  const written = { out: "", err: "" };
  const lines = [...(options.lines ?? [])];
  const abort = new AbortController();
  return {
    io: {
      out: (text) => {
        written.out += text;
      },
      err: (text) => {
        written.err += text;
      },
      isTty: options.isTty ?? false,
      canAsk: options.lines !== undefined,
      columns: 100,
      env: options.env ?? {},
      cwd: options.cwd ?? process.cwd(),
      readLine: (prompt) => {
        written.err += prompt;
        return Promise.resolve(lines.shift() ?? null);
      },
      signal: abort.signal,
    },
    stdout: () => written.out,
    stderr: () => written.err,
    interrupt: () => abort.abort(),
  };
}
