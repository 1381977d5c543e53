import type { StoreConfig } from "../../config/index.ts";
import type { Clock, Ids } from "../../core/index.ts";
import type { Logger, Store } from "../../core/ports/index.ts";
import { createStore } from "../../store/index.ts";

/** The node's database: the PostgreSQL that it is told of, else SQLite in its data directory. */
export function createNodeStore(
  config: StoreConfig,
  deps: { readonly clock: Clock; readonly ids: Ids; readonly logger: Logger },
): Store {
  const { clock, ids, logger } = deps;
  const common = { clock, logger, newStoreId: () => ids.make("store") };
  return config.kind === "postgres"
    ? createStore({ ...common, databaseUrl: config.url, poolSize: config.poolSize })
    : createStore({ ...common, sqlitePath: config.path });
}
