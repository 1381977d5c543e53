import type { Clock, NodeIdentity, Run } from "../core/index.ts";
import type {
  CatalogSource,
  NodeAdmin,
  Peer,
  ProviderStatus,
  ReloadReport,
  Store,
  SystemStatus,
} from "../core/ports/index.ts";
import type { LogRing, LoopDelayWatcher, Meters } from "../telemetry/index.ts";
import { examine } from "./doctor.ts";
import type { DataDirectory } from "./identity.ts";
import type { Snapshot } from "./snapshot.ts";
import type { LoopStatus } from "./supervisor.ts";

/** What the node tells operators from. */
export interface NodeAdminDeps {
  readonly version: string;
  readonly data: DataDirectory;
  /** In force now. */
  readonly snapshot: () => Snapshot;
  readonly catalog: CatalogSource;
  readonly store: Store;
  readonly providers: (signal: AbortSignal) => Promise<readonly ProviderStatus[]>;
  /** The other nodes, as this one sees them. */
  readonly peers: () => readonly Peer[];
  readonly draining: () => boolean;
  readonly reload: () => Promise<ReloadReport>;
  readonly loops: () => readonly LoopStatus[];
  readonly ring: LogRing;
  readonly meters: Meters;
  readonly loop: LoopDelayWatcher;
  readonly clock: Clock;
}

const NO_RUNS: Readonly<Record<Run["status"], number>> = {
  queued: 0,
  running: 0,
  waiting: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
};

/** Makes what operators ask of a node. */
export function createNodeAdmin(deps: NodeAdminDeps): NodeAdmin {
  const startedAtMs = deps.clock.monotonic();
  const identity: NodeIdentity = deps.data.identity;

  const status = async (): Promise<SystemStatus> => {
    const { config } = deps.snapshot();
    const { agents, rejected } = deps.catalog.current();
    const { kind, ready, reason } = deps.store.status();
    return {
      version: deps.version,
      node: identity,
      role: config.role,
      mode: config.mode,
      pid: process.pid,
      uptimeSeconds: Math.floor((deps.clock.monotonic() - startedAtMs) / 1_000),
      services: config.services,
      agentsLoaded: agents.size,
      agentsRejected: rejected.length,
      engine: "journal",
      store: { kind, ready, reason },
      // The status must be readable without the database, above all then.
      runs: ready ? await deps.store.runs.count().catch(() => NO_RUNS) : NO_RUNS,
      draining: deps.draining(),
      peers: deps.peers().map(({ key, name, nodeId, url, status, services }) => ({
        name: key,
        node_name: name,
        node_id: nodeId,
        url,
        status,
        services: [...services],
      })),
      mesh: null,
    };
  };

  return {
    status,
    doctor: async (signal) => {
      const { config, warnings } = deps.snapshot();
      return examine({
        config,
        warnings,
        catalog: deps.catalog.current(),
        store: deps.store.status(),
        providers: await deps.providers(signal),
        peers: deps.peers(),
        loop: deps.loop.current(),
        lock: deps.data.lock.kind,
      });
    },
    unready() {
      const { ready, reason, kind } = deps.store.status();
      return [
        ...(deps.draining() ? ["draining"] : []),
        ...(ready ? [] : [`database: ${kind} is not ready: ${reason}`]),
        ...deps.loops().flatMap(({ name, state, lastError }) => (state === "failed" ? [`${name}: ${lastError}`] : [])),
      ];
    },
    reload: deps.reload,
    config: () => deps.snapshot().origins,
    providers: deps.providers,
    logs: (backlog, signal) => deps.ring.follow(backlog, signal),
    metrics: () => deps.meters.render(),
  };
}
