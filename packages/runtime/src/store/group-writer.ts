import { toAstromeshError } from "../core/index.ts";
import type { AstromeshError } from "../core/index.ts";
import { toUnit } from "./database.ts";
import type { WriteCall, Writes } from "./database.ts";
import type { SqliteConnection } from "./dialects/sqlite.ts";
import { runSync } from "./statement.ts";

/** What became of one write. */
export type WriteResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: AstromeshError };

/**
 * Commits the writes that are waiting as one transaction: one flush of the disk for all of them.
 *
 * Invariants.
 * G1: each write stands in a savepoint. One that fails is undone alone; the others are kept.
 * G2: nothing is reported before the commit. When the commit fails, every write of the group has failed.
 */
export function createGroupWriter(connection: SqliteConnection, writes: Writes) {
  function runOne(call: WriteCall): WriteResult {
    connection.run("savepoint unit");
    try {
      const value = runSync(toUnit(writes, call), connection.execute);
      connection.run("release unit");
      return { ok: true, value };
    } catch (thrown) {
      const error = toAstromeshError(thrown);
      // A full disk or an I/O error may have undone the whole transaction already, the other writes with it (G2).
      if (!connection.inTransaction()) throw error;
      connection.run("rollback to unit");
      connection.run("release unit");
      return { ok: false, error };
    }
  }

  return function commit(calls: readonly WriteCall[]): readonly WriteResult[] {
    try {
      // Immediate: a group that will write takes the lock at once, instead of failing in the middle.
      connection.run("begin immediate");
      const results = calls.map(runOne);
      connection.run("commit");
      return results;
    } catch (thrown) {
      const error = toAstromeshError(thrown);
      rollback(connection);
      return calls.map(() => ({ ok: false, error }));
    }
  };
}

function rollback(connection: SqliteConnection): void {
  try {
    if (connection.inTransaction()) connection.run("rollback");
  } catch {
    // What made the commit fail is reported; a rollback that fails too leaves nothing more to undo.
  }
}
