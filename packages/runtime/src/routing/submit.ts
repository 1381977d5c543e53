/**
 * A run's way to its node.
 *
 * B1. A run is created with an idempotency key, so the same create to the same store is the same run.
 * B2. Another store is asked only when nothing was begun: the connection never stood, or the answer says so.
 * B3. When it may have begun, only nodes of the same store are asked again, with the same key.
 * B4. Where stores are not shared, a session goes to the store that has its memory, or nowhere.
 */
import { AstromeshError } from "../core/index.ts";
import type { Clock, ErrorCode, Ids } from "../core/index.ts";
import type { CatalogSource, Logger, Peer, Runs, Submitted, SubmitRequest } from "../core/ports/index.ts";
import type { PeerFailure } from "./peer-calls.ts";
import { repeatKey, sessionKey } from "./placements.ts";
import type { Placement, Placements } from "./placements.ts";
import type { CallScope, RemoteRuns } from "./remote-runs.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { SELF } from "./router.ts";
import type { Need, Route, Router } from "./router.ts";
import type { RunFinder } from "./run-finder.ts";

/** What submitting works with. */
export interface SubmitDeps {
  readonly local: Runs;
  readonly remote: RemoteRuns;
  readonly router: Router;
  readonly finder: RunFinder;
  readonly placements: Placements;
  readonly budget: RetryBudget;
  /** The agents of the whole mesh, for their target tags. */
  readonly catalog: CatalogSource;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly maxAttempts: number;
}

/** Refusals of this node after which another may be asked: nothing was begun. */
const NOT_STARTED: ReadonlySet<ErrorCode> = new Set(["admission_full", "agent_not_found", "draining", "no_service"]);
/** Waits before a create is repeated to the same store (B3). */
const AGAIN_AFTER_MS = [50, 200, 500, 1_000, 2_000];

/** Nobody offers what is needed; the guide's words. */
export function noService(service: string, cause?: AstromeshError): AstromeshError {
  const details = cause === undefined ? {} : { details: { because: cause.message } };
  return new AstromeshError("no_service", `No available node provides service: ${service}`, {
    retryAfterMs: 2_000,
    ...details,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** One attempt's end: the run, or why not. */
type Attempt =
  | { readonly ok: true; readonly submitted: Submitted; readonly placement: Placement }
  | { readonly ok: false; readonly error: AstromeshError; readonly notStarted: boolean };

/** Makes `submit` for requests that came through `via`. */
export function createRoutedSubmit(
  deps: SubmitDeps,
): (request: SubmitRequest, via: readonly string[]) => Promise<Submitted> {
  const { local, router, budget, logger } = deps;

  const here = async (request: SubmitRequest): Promise<Attempt> => {
    try {
      const placement = { key: SELF, name: router.self.name, storeId: router.self.store()?.id ?? null };
      return { ok: true, submitted: await local.submit(request), placement };
    } catch (error) {
      if (!(error instanceof AstromeshError)) throw error;
      return { ok: false, error, notStarted: NOT_STARTED.has(error.code) };
    }
  };

  const there = async (peer: Peer, request: SubmitRequest, scope: CallScope): Promise<Attempt> => {
    const result = await deps.remote.submit(peer, request, scope);
    const placement = deps.finder.placementOf(peer);
    if (result.ok) return { ok: true, submitted: result.value, placement };
    if (result.unreached && !result.notStarted) return again(deps, peer, request, scope, result);
    return { ok: false, error: result.error, notStarted: result.notStarted };
  };

  return async (request, via) => {
    budget.request();
    const scope: CallScope = { principal: request.principal, via, signal: new AbortController().signal };
    const home = await homeOf(deps, request, scope);
    const keyed = withKey(request, deps.ids);
    const except = new Set<string>();
    let last: AstromeshError | undefined;
    for (let attempt = 1; attempt <= deps.maxAttempts; attempt += 1) {
      const route = router.choose(needOf(deps, request, home, except, via));
      if (route === null) break;
      logger.debug("routed a run", { agent: request.agent, ...route.explain });
      const outcome = route.peer === null ? await here(request) : await there(route.peer, keyed, scope);
      if (outcome.ok) return remember(deps, request, route, outcome);
      last = outcome.error;
      if (!outcome.notStarted) throw last;
      except.add(route.key);
      // A node that says that it lacks the agent, or drains, costs nothing; anything else is a retry that adds load.
      if (!FREE.has(last.code) && !budget.take()) break;
    }
    throw last === undefined || last.code === "no_service" ? noService("agents", last) : last;
  };
}

const FREE: ReadonlySet<ErrorCode> = new Set(["agent_not_found", "draining"]);

function withKey(request: SubmitRequest, ids: Ids): SubmitRequest {
  if (request.idempotency !== null) return request;
  return { ...request, idempotency: { key: ids.make("hop"), bodyDigest: "hop" } };
}

function needOf(
  deps: SubmitDeps,
  request: SubmitRequest,
  home: Home,
  except: ReadonlySet<string>,
  via: readonly string[],
): Need {
  const agent = deps.catalog.current().agents.get(request.agent);
  return {
    service: "agents",
    lane: `agent:${request.agent}`,
    agent: request.agent,
    tags: agent?.definition.execution.targetTags ?? [],
    models: [],
    affinity: home.key,
    storeId: home.storeId,
    except,
    via,
  };
}

/** What keeps a request together with earlier ones, and the store that it must go to; nulls: anywhere. */
interface Home {
  readonly key: string | null;
  readonly storeId: string | null;
}

/** B4. */
async function homeOf(deps: SubmitDeps, request: SubmitRequest, scope: CallScope): Promise<Home> {
  const { agent, sessionId, principal, idempotency } = request;
  const key =
    sessionId !== null
      ? sessionKey(agent, principal.id, sessionId)
      : idempotency !== null
        ? repeatKey(principal.id, idempotency.key)
        : null;
  if (key === null) return { key: null, storeId: null };
  const stores = unsharedStores(deps.router, scope.via);
  if (stores.size <= 1) return { key, storeId: null };
  const known = deps.placements.homes.get(key)?.storeId ?? null;
  const storeId = known ?? (sessionId === null ? null : await findSession(deps, agent, sessionId, scope));
  if (storeId === null || stores.has(storeId)) return { key, storeId };
  deps.logger.warn("a session's store is gone from the mesh; it goes on elsewhere without its memory", {
    agent,
    storeId,
  });
  return { key, storeId: null };
}

/** The stores of nodes that run agents, dead nodes aside. */
function unsharedStores(router: Router, via: readonly string[]): ReadonlySet<string> {
  const own = router.self.services.includes("agents") ? router.self.store() : null;
  const others = router.holders("agents", via).map(({ store }) => store);
  return new Set([own, ...others].flatMap((store) => (store === null ? [] : [store.id])));
}

/** Asks every store for runs of the session; a new session is in none. */
async function findSession(
  { local, remote, finder, router }: SubmitDeps,
  agent: string,
  sessionId: string,
  scope: CallScope,
): Promise<string | null> {
  const filter = { agent, sessionId, principalId: scope.principal.id, limit: 1 };
  const own = router.self.services.includes("agents") ? router.self.store() : null;
  if (own !== null && (await local.list(filter, scope.principal)).length > 0) return own.id;
  const asked = finder.stores(scope).map(async (peer) => {
    const found = await remote.list(peer, filter, scope);
    return found.ok && found.value.length > 0 ? (peer.store?.id ?? null) : null;
  });
  return (await Promise.all(asked)).find((id) => id !== null) ?? null;
}

/** B3: asks the nodes of the same store again until one says what became of the create. */
async function again(
  { remote, router, clock, finder }: SubmitDeps,
  first: Peer,
  request: SubmitRequest,
  scope: CallScope,
  failure: PeerFailure,
): Promise<Attempt> {
  const { store, key } = first;
  const sameStore = (peer: Peer): boolean => peer.key === key || (store !== null && peer.store?.id === store.id);
  for (const [index, waitMs] of AGAIN_AFTER_MS.entries()) {
    await clock.sleep(waitMs, scope.signal);
    const peers = router.holders("agents", scope.via).filter(sameStore);
    const peer = peers[index % Math.max(1, peers.length)];
    if (peer === undefined) break;
    const result = await remote.submit(peer, request, scope);
    if (result.ok) return { ok: true, submitted: result.value, placement: finder.placementOf(peer) };
    if (!result.unreached) return { ok: false, error: result.error, notStarted: false };
  }
  const message = `${failure.error.message} while it took the run in; ask again with the same Idempotency-Key`;
  const error = new AstromeshError("no_service", message, { cause: failure.error, retryAfterMs: 5_000 });
  return { ok: false, error, notStarted: false };
}

function remember(
  { placements, clock, ids }: SubmitDeps,
  request: SubmitRequest,
  { explain }: Route,
  { submitted, placement }: Extract<Attempt, { ok: true }>,
): Submitted {
  const { run } = submitted;
  placements.runs.set(run.runId, placement);
  placements.homes.set(sessionKey(run.agent, run.principalId, run.sessionId), placement);
  if (request.idempotency !== null) {
    placements.homes.set(repeatKey(run.principalId, request.idempotency.key), placement);
  }
  placements.picks.set(run.traceId, { at: clock.now(), runId: run.runId, spanId: ids.span(), explain });
  return submitted;
}
