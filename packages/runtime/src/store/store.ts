import type { Store } from "../core/ports/index.ts";
import { createPostgresStore } from "./postgres-store.ts";
import type { PostgresStoreOptions } from "./postgres-store.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { SqliteStoreOptions } from "./sqlite-store.ts";

/** Where the store is, and what both kinds need. */
export type StoreOptions = Pick<SqliteStoreOptions & PostgresStoreOptions, "clock" | "ids" | "logger"> &
  (
    | {
        /** A shared PostgreSQL database; see PostgresStoreOptions.url. */
        readonly databaseUrl: string;
      }
    | {
        /** A SQLite file of this node alone; see SqliteStoreOptions.path. */
        readonly sqlitePath: string;
      }
  );

/** The store of a node: PostgreSQL where there is a URL, else SQLite. Opens nothing before `start`. */
export function createStore(options: StoreOptions): Store {
  const { clock, ids, logger } = options;
  const common = { clock, ids, ...(logger === undefined ? {} : { logger }) };
  return "databaseUrl" in options
    ? createPostgresStore({ ...common, url: options.databaseUrl })
    : createSqliteStore({ ...common, path: options.sqlitePath });
}
