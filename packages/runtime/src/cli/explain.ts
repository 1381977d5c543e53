import { AstromeshApiError, AstromeshConnectionError } from "@astromesh/client";

import { CliError, EXIT } from "./exit.ts";
import type { ExitCode } from "./exit.ts";
import type { Session } from "./session.ts";

/** Tells a person (or a program, with --json) what went wrong, and returns the exit code that says the same. */
export function explain(session: Session, thrown: unknown): ExitCode {
  const told = understand(thrown);
  if (session.json) {
    session.io.err(`${JSON.stringify({ error: told.message, code: told.code, exit_code: told.exitCode })}\n`);
  } else {
    session.io.err(`${session.style.bad("error:")} ${told.message}\n`);
    if (told.hint !== null) session.io.err(`${session.style.dim(told.hint)}\n`);
  }
  return told.exitCode;
}

interface Told {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly code: string;
  readonly hint: string | null;
}

function understand(thrown: unknown): Told {
  if (thrown instanceof CliError) {
    return { exitCode: thrown.exitCode, message: thrown.message, code: "cli", hint: thrown.hint };
  }
  if (thrown instanceof AstromeshApiError) {
    const refused = thrown.status === 401 || thrown.status === 403;
    return {
      exitCode: refused ? EXIT.refused : EXIT.failed,
      message: thrown.detail,
      code: thrown.code,
      hint: refused ? "Give a key by --api-key or ASTROMESH_API_KEY." : null,
    };
  }
  if (thrown instanceof AstromeshConnectionError) {
    return {
      exitCode: EXIT.unreachable,
      message: thrown.message,
      code: "unreachable",
      hint: "Start a node with astromeshd, or name another by --url or ASTROMESH_URL.",
    };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { exitCode: EXIT.failed, message, code: "failed", hint: null };
}
