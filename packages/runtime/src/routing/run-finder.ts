/**
 * Which node can answer for a run. Run ids carry nothing: where a run was put is remembered, and asked for when it is
 * not. Any node of a shared store can answer, so each store is asked once.
 */
import { AstromeshError } from "../core/index.ts";
import type { Run } from "../core/index.ts";
import type { Peer, Runs } from "../core/ports/index.ts";
import type { PeerFailure } from "./peer-calls.ts";
import type { Placement, Placements } from "./placements.ts";
import type { CallScope, RemoteRuns } from "./remote-runs.ts";
import { SELF } from "./router.ts";
import type { Router } from "./router.ts";

/** A run and where it was found; `peer` is null when it is here. */
export interface Found {
  readonly run: Run;
  readonly peer: Peer | null;
}

/** Finds runs. */
export interface RunFinder {
  /**
   * Rejects with `run_not_found` when every node that could have the run says no, and with `no_service` when one that
   * could have it does not answer.
   */
  find(runId: string, scope: CallScope): Promise<Found>;
  /** The peers to ask of each store: one that is well, of each. Those of this node's own store are left out. */
  stores(scope: Pick<CallScope, "via">): readonly Peer[];
  /** Where a peer's runs are. */
  placementOf(peer: Peer): Placement;
}

/** What finding works with. */
export interface RunFinderDeps {
  readonly local: Runs;
  readonly remote: RemoteRuns;
  readonly router: Router;
  readonly placements: Placements;
}

/** Makes it. */
export function createRunFinder(deps: RunFinderDeps): RunFinder {
  const { router, placements } = deps;
  const stores = ({ via }: Pick<CallScope, "via">): readonly Peer[] => onePerStore(router, via);

  /** Asks the peers that a placement names, in turn; stops at the first that knows the run or knows that it is gone. */
  const askNamed = async (known: Placement, runId: string, scope: CallScope): Promise<Found | PeerFailure[]> => {
    let failures: PeerFailure[] = [];
    for (const peer of namedBy(router, known, scope)) {
      const found = await askPeers(deps, [peer], runId, scope);
      if (!Array.isArray(found)) return found;
      failures = found;
      if (found.some(({ error }) => error.code === "run_not_found")) break;
    }
    return failures;
  };

  return {
    stores,
    placementOf,
    async find(runId, scope) {
      const known = placements.runs.get(runId);
      let answer = known === undefined || known.key === SELF ? [] : await askNamed(known, runId, scope);
      if (!Array.isArray(answer)) return answer;
      const here = await findHere(deps.local, runId, scope);
      if (here !== null) return here;
      if (!answer.some(({ error }) => error.code === "run_not_found")) {
        answer = await askPeers(deps, stores(scope), runId, scope);
        if (!Array.isArray(answer)) return answer;
      }
      const away = answer.find(({ error }) => error.code !== "run_not_found");
      if (away === undefined) throw new AstromeshError("run_not_found", `There is no run ${runId}.`);
      throw away.error;
    },
  };
}

/** Where a peer's runs are. */
function placementOf({ key, name, store }: Peer): Placement {
  return { key, name, storeId: store?.id ?? null };
}

function onePerStore(router: Router, via: readonly string[]): readonly Peer[] {
  const own = router.self.store();
  const chosen = new Map<string, Peer>();
  for (const peer of router.holders("agents", via)) {
    const { store, key, status } = peer;
    if (store !== null && store.id === own?.id) continue;
    const id = store === null ? key : store.id;
    if (!chosen.has(id) || status === "alive") chosen.set(id, peer);
  }
  return [...chosen.values()];
}

/** The peers that a placement names: the node itself first, then others of its store. */
function namedBy(router: Router, { key, storeId }: Placement, scope: CallScope): readonly Peer[] {
  const holders = router.holders("agents", scope.via);
  const own = holders.filter((peer) => peer.key === key);
  return [...own, ...holders.filter((peer) => peer.key !== key && storeId !== null && peer.store?.id === storeId)];
}

/** Asks them together: the first that has the run, else why each has not. */
async function askPeers(
  { remote, placements }: RunFinderDeps,
  peers: readonly Peer[],
  runId: string,
  scope: CallScope,
): Promise<Found | PeerFailure[]> {
  const failures: PeerFailure[] = [];
  const answers = peers.map(async (peer) => ({ peer, result: await remote.get(peer, runId, scope) }));
  for (const { peer, result } of await Promise.all(answers)) {
    if (result.ok) {
      const { run, inferenceNode } = result.value;
      placements.runs.set(runId, placementOf(peer));
      if (inferenceNode !== null) placements.answeredBy(runId, inferenceNode);
      return { run, peer };
    }
    failures.push(result);
  }
  return failures;
}

async function findHere(local: Runs, runId: string, scope: CallScope): Promise<Found | null> {
  try {
    return { run: await local.get(runId, scope.principal), peer: null };
  } catch (error) {
    if (error instanceof AstromeshError && error.code === "run_not_found") return null;
    throw error;
  }
}
