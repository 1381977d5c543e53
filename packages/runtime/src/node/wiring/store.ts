import type { StoreConfig } from "../../config/index.ts";
import type { Clock, Ids } from "../../core/index.ts";
import type { Logger, Store } from "../../core/ports/index.ts";
import { createPostgresStore, createSqliteStore } from "../../store/index.ts";

/** The node's database: the PostgreSQL that it is told of, else SQLite in its data directory. */
export function createNodeStore(
  config: StoreConfig,
  deps: { readonly clock: Clock; readonly ids: Ids; readonly logger: Logger },
): Store {
  return config.kind === "postgres"
    ? createPostgresStore({ ...deps, url: config.url, connectionsMax: config.poolSize })
    : createSqliteStore({ ...deps, path: config.path });
}
