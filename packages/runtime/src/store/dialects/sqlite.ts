import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";

import { AstromeshError } from "../../core/index.ts";
import { insideTransaction } from "../migrate.ts";
import type { Schema } from "../schema.ts";
import type { Outcome, Statement } from "../statement.ts";
import { fromColumnRows, toColumnValues } from "../text.ts";

/** Prepared statements kept; beyond it all are dropped and made again (lists of ids make new SQL each time). */
const PREPARED_MAX = 500;

/** How a connection is opened. */
export interface SqliteOpen {
  readonly path: string;
  /** The reader never writes, and the file must be there. */
  readonly access: "reader" | "writer";
  /** How long a statement waits for another process's lock. Blocks the thread. Milliseconds. */
  readonly busyTimeoutMs: number;
  /** Upper bound of the file's size; null for none. */
  readonly sizeBytesMax: number | null;
}

/** One open connection. Every error that it throws is an AstromeshError. */
export interface SqliteConnection {
  readonly execute: (statement: Statement<unknown>) => Outcome;
  /** Runs plain SQL, such as `begin`. */
  readonly run: (sql: string) => void;
  /** False after an error that made SQLite roll everything back by itself. */
  readonly inTransaction: () => boolean;
  /** Kysely on this connection, for migrations. */
  readonly migrations: () => Kysely<Schema>;
  readonly close: () => void;
}

/**
 * Opens a SQLite file: WAL, so that readers and the writer do not wait for each other, and synchronous=FULL, so that
 * a commit is on disk when it returns.
 */
export function openSqlite(options: SqliteOpen): SqliteConnection {
  const database = attempt(() => open(options));
  const prepared = new Map<string, Database.Statement>();

  const prepareOnce = (sql: string): Database.Statement => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      if (prepared.size >= PREPARED_MAX) prepared.clear();
      statement = database.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement;
  };

  return {
    execute: ({ sql, parameters }) =>
      attempt(() => {
        const statement = prepareOnce(sql);
        const values = toColumnValues(parameters);
        if (!statement.reader) return { rows: [], changes: statement.run(values).changes };
        const rows = fromColumnRows(statement.all(values));
        return { rows, changes: rows.length };
      }),
    run: (sql) => void attempt(() => prepareOnce(sql).run()),
    inTransaction: () => database.inTransaction,
    migrations: () => new Kysely<Schema>({ dialect: insideTransaction(new SqliteDialect({ database })) }),
    close: () => void database.close(),
  };
}

function open({ path, access, busyTimeoutMs, sizeBytesMax }: SqliteOpen): Database.Database {
  if (access === "writer") mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path, { timeout: busyTimeoutMs, fileMustExist: access === "reader" });
  try {
    if (access === "reader") {
      database.pragma("query_only = on");
      return database;
    }
    database.pragma("journal_mode = wal");
    database.pragma("synchronous = full");
    database.pragma("foreign_keys = on");
    // Four times the default: the pages that every append touches are copied to the file less often. Pages of 4 KiB.
    database.pragma("wal_autocheckpoint = 4000");
    // A burst may grow the log; afterwards it is cut back to this. Bytes.
    database.pragma("journal_size_limit = 67108864");
    if (sizeBytesMax !== null) {
      const pageBytes = database.pragma("page_size", { simple: true }) as number;
      database.pragma(`max_page_count = ${Math.max(1, Math.floor(sizeBytesMax / pageBytes))}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function attempt<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw fromSqliteError(error);
  }
}

/**
 * What SQLite's result codes (https://www.sqlite.org/rescode.html) mean to us. A broken unique constraint is a
 * journal place written twice: every other insert says what to do on conflict.
 */
function fromSqliteError(thrown: unknown): unknown {
  const code = (thrown as { code?: unknown }).code;
  if (!(thrown instanceof Error) || typeof code !== "string") return thrown;
  if (code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "SQLITE_CONSTRAINT_UNIQUE") {
    return new AstromeshError("journal_mismatch", "The journal has another record at this place.", { cause: thrown });
  }
  if (code === "SQLITE_FULL" || code === "ENOSPC" || code === "EDQUOT") {
    return new AstromeshError("store_full", "The disk or the database file is full.", { cause: thrown });
  }
  if (code === "SQLITE_TOOBIG") {
    return new AstromeshError("payload_too_large", "A value is too large for the database.", { cause: thrown });
  }
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    const message = `The database file is damaged or no database: ${thrown.message}.`;
    return new AstromeshError("store_unavailable", message, { cause: thrown, retryable: false });
  }
  if (/^SQLITE_(BUSY|LOCKED|IOERR|CANTOPEN|READONLY|PROTOCOL|PERM|AUTH|NOMEM|INTERRUPT)/.test(code)) {
    return new AstromeshError("store_unavailable", `SQLite: ${thrown.message}.`, { cause: thrown });
  }
  return code.startsWith("SQLITE_")
    ? new AstromeshError("internal", `SQLite: ${thrown.message}.`, { cause: thrown })
    : new AstromeshError("store_unavailable", thrown.message, { cause: thrown });
}
