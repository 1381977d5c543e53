/** What a command's exit code says. The same for every command. */
export const EXIT = {
  ok: 0,
  /** The operation was carried out and failed. */
  failed: 1,
  /** Wrong use of the command line, or a configuration that is not valid. */
  usage: 2,
  /** No node answers at the address. */
  unreachable: 3,
  /** The node refuses the key, or wants one. */
  refused: 4,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that a command explains by itself: one text for people, one exit code for programs. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** What to try next; printed on a line of its own. */
  readonly hint: string | null;

  constructor(exitCode: ExitCode, message: string, hint: string | null = null) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}
