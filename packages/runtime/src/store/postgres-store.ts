import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { Clock, Ids } from "../core/index.ts";
import type { Logger, Store } from "../core/ports/index.ts";
import { createWrites, toUnit } from "./database.ts";
import type { Database, ResultOf, WriteCall, WriteName, Writes } from "./database.ts";
import type { PostgresPool } from "./dialects/postgres.ts";
import { createKeeper } from "./keeper.ts";
import { migrate } from "./migrate.ts";
import { isTransactionRace } from "./postgres-errors.ts";
import { createRepositories } from "./repositories.ts";
import { createBuilder, runAsync } from "./statement.ts";

/** How the shared store is made. */
export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with pg's own parameters such as `sslmode`. */
  readonly url: string;
  /** Reads the time and paces retries. */
  readonly clock: Clock;
  /** Makes the id of a new database. */
  readonly ids: Ids;
  /** Told of outages and recoveries. @default none */
  readonly logger?: Logger;
  /** Connections at most. @default 10 */
  readonly connectionsMax?: number;
  /** How long to wait for a free or new connection before `store_unavailable`. Milliseconds. @default 5000 */
  readonly connectTimeoutMs?: number;
  /** How long a statement may take before `store_unavailable`. Milliseconds. @default 30000 */
  readonly statementTimeoutMs?: number;
}

/** Tries of a write that lost a deadlock or a race to another transaction; it was rolled back each time. */
const RACE_TRIES_MAX = 4;

/**
 * The store that several nodes share, in a PostgreSQL database. Each write is one transaction at read committed; the
 * guards in its statements decide races. Works through pgbouncer in transaction mode.
 */
export function createPostgresStore(options: PostgresStoreOptions): Store {
  const { clock, ids, logger = null } = options;
  const writes = createWrites(createBuilder("postgres"));
  let pool: PostgresPool | null = null;
  let storeId: string | null = null;
  let stopped = false;

  const keeper = createKeeper({ kind: "postgres", clock, logger, attempt });

  async function attempt(): Promise<string> {
    pool ??= await open();
    storeId ??= await prepareDatabase(pool, ids, logger);
    await write(pool, { name: "probe", args: [clock.now()] });
    return storeId;
  }

  async function open(): Promise<PostgresPool> {
    if (!URL.canParse(options.url) || !/^postgres(?:ql)?:$/.test(new URL(options.url).protocol)) {
      throw new AstromeshError("config_invalid", "The database URL is not of the form postgres://host/database.");
    }
    // Loaded here, because a node with SQLite needs none of it.
    const { openPostgres } = await import("./dialects/postgres.ts");
    return openPostgres({
      url: options.url,
      connectionsMax: options.connectionsMax ?? 10,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
      onIdleError: (error) => keeper.trouble(unavailable(`PostgreSQL ended a connection: ${error.message}.`)),
    });
  }

  async function write(opened: PostgresPool, call: WriteCall): Promise<unknown> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await opened.transaction((execute) => runAsync(toUnit(writes, call), execute));
      } catch (error) {
        if (tries >= RACE_TRIES_MAX || !isTransactionRace(error)) throw error;
      }
    }
  }

  async function guarded<Result>(work: (opened: PostgresPool) => Promise<Result>): Promise<Result> {
    try {
      if (pool === null || storeId === null || stopped) throw unavailable("The database is not open.");
      return await work(pool);
    } catch (thrown) {
      const error = toAstromeshError(thrown);
      keeper.trouble(error);
      throw error;
    }
  }

  const database: Database = {
    read: (unit) => guarded((opened) => runAsync(unit, opened.execute)),
    write: <Name extends WriteName>(name: Name, ...args: Parameters<Writes[Name]>) =>
      guarded(async (opened) => (await write(opened, { name, args })) as ResultOf<Writes[Name]>),
  };

  return {
    ...createRepositories(createBuilder("postgres"), database, clock),
    start: (signal) => keeper.start(signal),
    async stop() {
      if (stopped) return;
      stopped = true;
      await keeper.stop();
      await pool?.close();
    },
    status: () => keeper.status(),
  };
}

/** Brings the schema up to date, and looks whether commits are as durable as we promise. Returns the store's id. */
async function prepareDatabase(opened: PostgresPool, ids: Ids, logger: Logger | null): Promise<string> {
  const id = await opened.migration((db) => migrate(db, "postgres", ids.make("store")));
  const { rows } = await opened.execute({
    sql: "select current_setting('synchronous_commit') as commits, current_setting('fsync') as flushes",
    parameters: [],
  });
  const [settings] = rows as readonly { readonly commits: string; readonly flushes: string }[];
  // Other values than `off` keep at least this machine's promise, and may be stronger: they stay.
  if (settings?.commits === "off") opened.forceSynchronousCommit();
  if (settings?.flushes === "off") logger?.warn("PostgreSQL runs with fsync=off: a power loss loses runs");
  return id;
}

function unavailable(message: string): AstromeshError {
  return new AstromeshError("store_unavailable", message);
}
