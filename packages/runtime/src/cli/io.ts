/** Where a command reads and writes. Injected, so that tests see what a person would. */
export interface CliIo {
  /** Writes to standard output as it is. */
  out(text: string): void;
  /** Writes to standard error as it is. */
  err(text: string): void;
  /** Standard output is a terminal: boxes, colours and live updates are welcome. */
  readonly isTty: boolean;
  /** Standard input is a terminal: questions may be asked. */
  readonly canAsk: boolean;
  /** Width of the terminal in columns. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Reads the next line a person types; null at the end of the input. */
  readLine(prompt: string): Promise<string | null>;
  /** Aborts on Ctrl-C, and when the process is asked to end. */
  readonly signal: AbortSignal;
}
