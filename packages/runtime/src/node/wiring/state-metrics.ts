import type { CatalogSource, Store } from "../../core/ports/index.ts";
import type { RunEngine } from "../../runs/index.ts";
import type { Metrics } from "../../telemetry/index.ts";

/** Metrics that are read off the parts when somebody asks. */
export function observeState(
  metrics: Metrics,
  parts: { readonly store: Store; readonly engine: RunEngine; readonly catalog: CatalogSource },
): void {
  const { store, engine, catalog } = parts;
  metrics.storeReady.observe(() => [{ value: store.status().ready ? 1 : 0, labels: {} }]);
  metrics.runsActive.observe(() => [{ value: engine.status().active, labels: {} }]);
  metrics.agentsLoaded.observe(() => [{ value: catalog.current().agents.size, labels: {} }]);
  metrics.agentsRejected.observe(() => [{ value: catalog.current().rejected.length, labels: {} }]);
}
