import { AstromeshError } from "../core/index.ts";

/** True for an error after which the same transaction may succeed at once: a deadlock or a lost race. */
export function isTransactionRace(error: unknown): boolean {
  const code = sqlState((error as { cause?: unknown }).cause);
  return code === "40001" || code === "40P01";
}

/**
 * What SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) mean to us. An error without one
 * came from the connection, not from the server. A broken unique constraint is a journal place written twice: every
 * other insert says what to do on conflict.
 */
export function fromPostgresError(thrown: unknown): unknown {
  if (thrown instanceof AstromeshError) return thrown;
  const code = sqlState(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === null) {
    return new AstromeshError("store_unavailable", `PostgreSQL is not available: ${message}.`, { cause: thrown });
  }
  if (code === "23505") {
    return new AstromeshError("journal_mismatch", "The journal has another record at this place.", { cause: thrown });
  }
  if (code === "53100") {
    return new AstromeshError("store_full", `PostgreSQL's disk is full: ${message}.`, { cause: thrown });
  }
  // program_limit_exceeded: a key is longer than an index takes.
  if (code.startsWith("54")) {
    return new AstromeshError("invalid_request", `PostgreSQL refuses a value: ${message}.`, { cause: thrown });
  }
  if (UNAVAILABLE.test(code)) {
    return new AstromeshError("store_unavailable", `PostgreSQL: ${message}.`, { cause: thrown });
  }
  return new AstromeshError("internal", `PostgreSQL: ${message}.`, { cause: thrown });
}

/**
 * Connection, authorization, unknown database, read-only server, rolled back, out of resources, lock not available,
 * operator's intervention, I/O error: somebody can mend each of them while we keep trying.
 */
const UNAVAILABLE = /^(?:08|28|3D|25006|40|53|55|57|58)/;

function sqlState(thrown: unknown): string | null {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : null;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
