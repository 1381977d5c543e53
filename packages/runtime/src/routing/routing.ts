/**
 * Everything of this room as one part: a node that knows peers asks it, and nobody else forwards.
 */
import type { Clock, Ids, Random } from "../core/index.ts";
import type {
  AgentAdmin,
  CatalogSource,
  Logger,
  ModelGateway,
  PeerView,
  RunPlaces,
  Runs,
  SessionMemory,
} from "../core/ports/index.ts";
import type { PeerClient } from "../net/index.ts";
import type { EjectionOptions } from "./ejection.ts";
import { createPeerCalls } from "./peer-calls.ts";
import type { PickStrategy } from "./pick.ts";
import { createPlacements } from "./placements.ts";
import { createRoutedModels } from "./remote-model.ts";
import { createRemoteRuns } from "./remote-runs.ts";
import { createRetryBudget } from "./retry-budget.ts";
import { createRoutedAgents } from "./routed-agents.ts";
import { createRoutedMemory } from "./routed-memory.ts";
import { createRoutedRuns } from "./routed-runs.ts";
import { createRouter } from "./router.ts";
import type { Router, Self } from "./router.ts";
import { createRunFinder } from "./run-finder.ts";

/** What routing works with. */
export interface RoutingDeps {
  readonly view: PeerView;
  readonly client: PeerClient;
  readonly self: Self;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** How it chooses. */
export interface RoutingOptions {
  readonly strategy: PickStrategy;
  /** This node first, then its region. */
  readonly localPreference: boolean;
  /** Nodes asked for one request at the most. */
  readonly maxAttempts: number;
  /** Retries for each request, over all requests. */
  readonly retryRatio: number;
  readonly ejection: Partial<EjectionOptions>;
}

/** What doors and runs get in place of what is here. Each is made once. */
export interface Routing {
  readonly router: Router;
  readonly places: RunPlaces;
  /** In place of this node's models. */
  models(local: ModelGateway): ModelGateway;
  /** In place of this node's runs, agents and memory. */
  front(local: LocalFront): RoutedFront;
}

/** What this node has itself. */
export interface LocalFront {
  readonly runs: Runs;
  readonly catalog: CatalogSource;
  readonly agents: AgentAdmin;
  readonly memory: SessionMemory;
}

/** The same over all nodes. */
export interface RoutedFront extends LocalFront {
  /** Runs for requests that came through other nodes. */
  readonly runsThrough: (via: readonly string[]) => Runs;
  /** Keeps the catalogs of the peers current until the signal aborts. */
  readonly followAgents: (signal: AbortSignal) => Promise<void>;
}

/** Makes it. Nothing is asked of anybody yet. */
export function createRouting(deps: RoutingDeps, options: RoutingOptions): Routing {
  const { clock, logger, client, ids } = deps;
  const { strategy, localPreference, ejection, maxAttempts, retryRatio } = options;
  const router = createRouter(deps, { strategy, localPreference, ejection });
  const calls = createPeerCalls({ client, router, clock });
  const budget = createRetryBudget(clock, { ratio: retryRatio });
  const placements = createPlacements();

  return {
    router,
    places: placements,
    models: (local) => createRoutedModels({ local, router, calls, placements, budget, clock, logger, maxAttempts }),
    front(local) {
      const remote = createRemoteRuns(calls, clock);
      const finder = createRunFinder({ local: local.runs, remote, router, placements });
      const agents = createRoutedAgents({
        local: { catalog: local.catalog, admin: local.agents },
        router,
        calls,
        logger,
      });
      const runs = createRoutedRuns({
        local: local.runs,
        catalog: agents.catalog,
        remote,
        router,
        finder,
        placements,
        budget,
        clock,
        ids,
        logger,
        maxAttempts,
      });
      return {
        runs: runs.through([]),
        runsThrough: runs.through,
        catalog: agents.catalog,
        agents: agents.admin,
        memory: createRoutedMemory({ local: local.memory, calls, finder }),
        followAgents: agents.follow,
      };
    },
  };
}
