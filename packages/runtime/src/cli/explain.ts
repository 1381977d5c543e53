import { AstromeshApiError } from "@astromesh/client";

import { CliError, EXIT } from "./exit.ts";
import type { ExitCode } from "./exit.ts";
import type { Session } from "./session.ts";

/** Tells a person (or a program, with --json) what went wrong, and returns the exit code that says the same. */
export function explain(session: Session, thrown: unknown): ExitCode {
  const told = understand(session, thrown);
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

function understand(session: Session, thrown: unknown): Told {
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
  const cause = connectionFailure(thrown);
  if (cause !== null) {
    return {
      exitCode: EXIT.unreachable,
      message: `no node answers at ${session.url} (${cause})`,
      code: "unreachable",
      hint: "Start one with astromeshd, or name another by --url or ASTROMESH_URL.",
    };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { exitCode: EXIT.failed, message, code: "failed", hint: null };
}

/** The system's word for why a connection failed, such as ECONNREFUSED; null when it is no such failure. */
function connectionFailure(thrown: unknown): string | null {
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    const code: unknown = Reflect.get(error, "code");
    if (typeof code === "string" && /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code)) return code;
    if (error instanceof AggregateError && error.errors.length > 0) return connectionFailure(error.errors[0]);
  }
  return thrown instanceof TypeError && thrown.message === "fetch failed" ? "connection failed" : null;
}
