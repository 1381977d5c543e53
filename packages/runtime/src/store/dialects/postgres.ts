import { Kysely, PostgresDialect } from "kysely";
import { Pool, types } from "pg";
import type { CustomTypesConfig, PoolClient } from "pg";

import { insideTransaction } from "../migrate.ts";
import { fromPostgresError } from "../postgres-errors.ts";
import type { Schema } from "../schema.ts";
import type { Outcome, Statement } from "../statement.ts";
import { fromColumnRows, toColumnValues } from "../text.ts";

/** How a pool of connections is made. */
export interface PostgresOpen {
  readonly url: string;
  readonly connectionsMax: number;
  /** How long to wait for a free or new connection. Milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a statement may take before its connection counts as lost. Milliseconds. */
  readonly statementTimeoutMs: number;
  /** Told of an idle connection that broke; the pool has dropped it already. */
  readonly onIdleError: (error: Error) => void;
}

/** A transaction, or the pool itself for single statements. Every error is an AstromeshError. */
export type ExecuteAsync = (statement: Statement<unknown>) => Promise<Outcome>;

/** Connections to one PostgreSQL database. */
export interface PostgresPool {
  readonly execute: ExecuteAsync;
  /** Runs `work` between `begin` and `commit`; any error rolls back and is thrown on. */
  readonly transaction: <Result>(work: (execute: ExecuteAsync) => Promise<Result>) => Promise<Result>;
  /** The same, alone among all processes on this database, with Kysely for migrations. */
  readonly migration: <Result>(work: (db: Kysely<Schema>) => Promise<Result>) => Promise<Result>;
  /** Commits wait for the disk from now on, though the server's default says otherwise. */
  readonly forceSynchronousCommit: () => void;
  readonly close: () => Promise<void>;
}

/** Every process that migrates takes this lock; the number is "astromes" in ASCII. */
const MIGRATION_LOCK = "7022084278845269363";

/** bigint columns hold times and counts, all below 2^53: numbers, not the texts that pg makes of them. */
const NUMBERS: CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)),
};

/**
 * Opens a pool; connects at its first use.
 *
 * Nothing here outlives a transaction on the server's side (no session settings, no named statements, no session
 * locks), so the pool works through pgbouncer in transaction mode. The statement timeout is kept by the client.
 */
export function openPostgres(options: PostgresOpen): PostgresPool {
  const pool = new Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.statementTimeoutMs,
    keepAlive: true,
    types: NUMBERS,
  });
  // Without these listeners a broken connection would end the process.
  pool.on("error", options.onIdleError);
  pool.on("connect", (client) => client.on("error", () => {}));
  // Whatever the database's default isolation: guarded updates are written for this one.
  let begin = "begin isolation level read committed";

  async function transaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await attempt(() => pool.connect());
    let broken: Error | undefined;
    try {
      await attempt(() => client.query(begin));
      const result = await work(client);
      await attempt(() => client.query("commit"));
      return result;
    } catch (error) {
      broken = await rollback(client);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    execute: executeOn(pool),
    transaction: (work) => transaction((client) => work(executeOn(client))),
    migration: (work) =>
      transaction(async (client) => {
        await attempt(() => client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`));
        return attempt(() => work(new Kysely<Schema>({ dialect: insideTransaction(dialectOn(client)) })));
      }),
    forceSynchronousCommit: () => {
      begin += "; set local synchronous_commit to on";
    },
    close: () => pool.end(),
  };
}

function executeOn(client: Pool | PoolClient): ExecuteAsync {
  return async ({ sql, parameters }) => {
    const result = await attempt(() => client.query(sql, toColumnValues(parameters)));
    return { rows: fromColumnRows(result.rows), changes: result.rowCount ?? 0 };
  };
}

/** Undefined when the connection is good again; otherwise why it must not be used any more. */
async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query("rollback");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Kysely's dialect on one connection that is ours already. */
function dialectOn(client: PoolClient): PostgresDialect {
  const connection = { query: client.query.bind(client), release: () => {} };
  return new PostgresDialect({ pool: { connect: async () => connection, end: async () => {} } });
}

async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw fromPostgresError(error);
  }
}
