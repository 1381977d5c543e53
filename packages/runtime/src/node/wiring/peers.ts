import { createHash } from "node:crypto";

import type { NodeConfig } from "../../config/index.ts";
import { SERVICE_NAMES } from "../../core/index.ts";
import type { Clock, Ids, NodeIdentity, Random } from "../../core/index.ts";
import type {
  CatalogSource,
  Logger,
  ModelGateway,
  OfferedProvider,
  PeerStore,
  PeerView,
  Store,
} from "../../core/ports/index.ts";
import { createHttpClient, createPeerClient, meshKeyring } from "../../net/index.ts";
import { createRouting, createStaticPeers } from "../../routing/index.ts";
import type { PickStrategy, Routing, Self, StaticPeers } from "../../routing/index.ts";
import type { RunEngine } from "../../runs/index.ts";
import type { PeerStatusBody } from "../../wire/index.ts";
import type { NodeModels } from "./models.ts";

/** The mesh that a node belongs to: what it says to others and hears from them is of this mesh. */
export const CLUSTER = "astromesh";

/** What a node shows its peers of itself. */
export interface OwnFacts {
  readonly store: Store;
  readonly catalog: CatalogSource;
  readonly engine: Pick<RunEngine, "status">;
  readonly draining: () => boolean;
  readonly modelCalls: () => number;
  readonly providers: () => readonly OfferedProvider[];
}

/** The other nodes, as this one is told of them. */
export interface NodePeers {
  readonly view: PeerView;
  readonly routing: Routing;
  /** Looks for the peers for the first time; resolves when each has answered or failed. */
  first(): Promise<void>;
  /** Background loops by name. */
  readonly loops: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>;
  stop(): Promise<void>;
}

/** What is put together here. */
export interface NodePeersDeps {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Asked only once the node serves. */
  readonly facts: () => OwnFacts;
}

/** The static peers of a node and routing over them; null when it is told of none. */
export function createNodePeers(config: NodeConfig, deps: NodePeersDeps): NodePeers | null {
  if (config.peers.length === 0) return null;
  const { identity, clock, random, logger } = deps;
  const http = createHttpClient({ connectTimeoutMs: 2_000 });
  const sender = {
    nodeId: identity.nodeId,
    boot: identity.boot,
    cluster: CLUSTER,
    keyring: meshKeyring(config.mesh.secrets),
  };
  const client = createPeerClient({ http, sender });
  const view: StaticPeers = createStaticPeers({
    peers: config.peers,
    client,
    nodeId: identity.nodeId,
    clock,
    random,
    logger,
  });
  const strategy: PickStrategy = "round_robin";
  const { localPreference, maxAttempts, retryRatio, ejectionMs } = config.routing;
  const routing = createRouting(
    { ...deps, view, client, self: selfOf(config, deps) },
    { strategy, localPreference, maxAttempts, retryRatio, ejection: { baseMs: ejectionMs } },
  );
  return {
    view,
    routing,
    first: () => view.checkAll(),
    loops: { "peer checks": (signal) => view.run(signal) },
    stop: () => http.stop(),
  };
}

const servicesOf = ({ services }: NodeConfig) => SERVICE_NAMES.filter((name) => services[name]);

function selfOf(config: NodeConfig, { identity, facts }: NodePeersDeps): Self {
  return {
    nodeId: identity.nodeId,
    name: identity.name,
    region: config.node.region,
    tags: config.node.tags,
    services: servicesOf(config),
    store: () => storeOf(facts().store),
    agents: () => [...facts().catalog.current().agents.keys()],
    providers: () => facts().providers(),
    depth: (service) => (service === "inference" ? facts().modelCalls() : facts().engine.status().active),
  };
}

/** What this node tells other nodes of itself. */
export function ownStatus(
  config: NodeConfig,
  identity: NodeIdentity,
  version: string,
  { store, catalog, engine, draining, providers }: OwnFacts,
): PeerStatusBody {
  const current = catalog.current();
  return {
    node_id: identity.nodeId,
    boot: identity.boot,
    name: identity.name,
    version,
    services: servicesOf(config),
    draining: draining(),
    depth: engine.status().active,
    agents: [...current.agents.keys()],
    catalog_digest: digestOf([
      ...[...current.agents].map(([name, { digest }]) => `${name} ${digest}`),
      ...current.rejected.flatMap(({ file, errors }) => [file, ...errors]),
    ]),
    providers: providers().map(({ name, type, models }) => ({ name, type, models: [...models] })),
    store: storeOf(store),
    region: config.node.region,
    tags: [...config.node.tags],
  };
}

function storeOf(store: Store): PeerStore | null {
  const { kind, storeId } = store.status();
  return storeId === null ? null : { id: storeId, shared: kind === "postgres" };
}

function digestOf(lines: readonly string[]): string {
  return createHash("sha256").update(lines.toSorted().join("\n")).digest("base64url").slice(0, 16);
}

/** For so long a look at the providers is good enough: a server that is started later is offered soon after. */
const OFFERS_FRESH_MS = 15_000;

/**
 * What this node's providers offer, as last looked; empty at first. Looks only while somebody asks, and answers at once
 * with what is known.
 */
export function createOffers(
  models: Pick<NodeModels, "check">,
  deps: { readonly clock: Clock; readonly logger: Logger },
): () => readonly OfferedProvider[] {
  let current: readonly OfferedProvider[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    const checked = await models.check(new AbortController().signal);
    current = checked.filter(({ ok }) => ok).map(({ name, type, models }) => ({ name, type, models }));
  };
  return () => {
    const now = deps.clock.monotonic();
    if (now - lookedAt >= OFFERS_FRESH_MS) {
      lookedAt = now;
      look().catch((error: unknown) => deps.logger.warn("the providers could not be looked at", { error }));
    }
    return current;
  };
}

/** A gateway that knows how many calls are under way. */
export function countCalls(gateway: ModelGateway): { readonly gateway: ModelGateway; readonly open: () => number } {
  let open = 0;
  return {
    open: () => open,
    gateway: {
      async *call(call, signal) {
        open += 1;
        try {
          yield* gateway.call(call, signal);
        } finally {
          open -= 1;
        }
      },
    },
  };
}
