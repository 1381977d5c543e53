import type { StoreConfig } from "../../config/index.ts";
import type { Clock, Ids } from "../../core/index.ts";
import type { Logger, Store } from "../../core/ports/index.ts";
import { createPostgresStore, createSqliteStore } from "../../store/index.ts";

/** The node's database: the PostgreSQL that it is told of, else SQLite in its data directory. */
export function createNodeStore(
  config: StoreConfig,
  deps: { readonly clock: Clock; readonly ids: Ids; readonly logger: Logger },
): Store {
  const { clock, ids, logger } = deps;
  const common = { clock, logger, newStoreId: () => ids.make("store") };
  return config.kind === "postgres"
    ? createPostgresStore({ ...common, url: config.url, connectionsMax: config.poolSize })
    : createSqliteStore({ ...common, path: config.path });
}
