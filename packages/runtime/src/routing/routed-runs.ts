/**
 * The port `Runs` over all nodes: doors ask it as if every run were here.
 *
 * A run is followed to whoever can answer for it, through restarts and takeovers: `settled` and `events` ask again, with
 * the client's own place in the stream, until the client has what it wants.
 */
import { AstromeshError, isFinal, isSettled } from "../core/index.ts";
import type { Principal, Run, StreamEvent } from "../core/index.ts";
import type { Peer, Runs, Timeline } from "../core/ports/index.ts";
import type { PeerResult } from "./peer-calls.ts";
import type { CallScope, RemoteRun, StreamPlaceAfter } from "./remote-runs.ts";
import { createRoutedSubmit } from "./submit.ts";
import type { SubmitDeps } from "./submit.ts";

/** Runs over all nodes. */
export interface RoutedRuns {
  /** For requests that came through these nodes (ids); none for a client's own. */
  readonly through: (via: readonly string[]) => Runs;
}

/** A wait is asked for in slices, so that a node that has stopped is noticed. Milliseconds. */
const SLICE_MS = 10_000;
/** Between two looks for a node that is away. Milliseconds. */
const AWAY_MS = [50, 100, 250, 500, 1_000];
/** A stream waits so long for its run's node to come back. Milliseconds. */
const PATIENCE_MS = 60_000;

const NEVER = new AbortController().signal;

/** Makes it. */
export function createRoutedRuns(deps: SubmitDeps): RoutedRuns {
  const submit = createRoutedSubmit(deps);
  const { local, remote, finder } = deps;

  return {
    through(via) {
      const scoped = (principal: Principal, signal: AbortSignal = NEVER): CallScope => ({ principal, via, signal });
      const at = createAt(deps);
      return {
        submit: (request) => submit(request, via),
        get: async (runId, principal) => (await finder.find(runId, scoped(principal))).run,
        list: (filter, principal) => listAll(deps, scoped(principal), filter),
        journal: (runId, principal) =>
          at(
            runId,
            scoped(principal),
            () => local.journal(runId, principal),
            (peer, scope) => remote.journal(peer, runId, scope),
          ),
        timeline: (traceId, principal) => timelineOfAll(deps, scoped(principal), traceId),
        cancel: (runId, principal) =>
          at(
            runId,
            scoped(principal),
            () => local.cancel(runId, principal),
            async (peer, scope) => onlyRun(await remote.cancel(peer, runId, scope)),
          ),
        signal: (runId, principal, sent) => {
          // Named here, so that a repetition after a lost answer is the same signal.
          const signalId = sent.signalId ?? deps.ids.make("sig");
          return at(
            runId,
            scoped(principal),
            () => local.signal(runId, principal, sent),
            async (peer, scope) => onlyRun(await remote.signal(peer, runId, { ...sent, signalId }, scope)),
          );
        },
        settled: (runId, principal, timeoutMs, signal) => settle(deps, runId, timeoutMs, scoped(principal, signal)),
        events: (runId, principal, after, signal) => follow(deps, runId, after, scoped(principal, signal)),
      };
    },
  };
}

/** Does something with a run where it is; a lost answer is asked for once more. */
function createAt({ finder }: SubmitDeps) {
  return async <T>(
    runId: string,
    scope: CallScope,
    here: () => Promise<T>,
    there: (peer: Peer, scope: CallScope) => Promise<PeerResult<T>>,
  ): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      const { peer } = await finder.find(runId, scope);
      if (peer === null) return here();
      const result = await there(peer, scope);
      if (result.ok) return result.value;
      if (!result.unreached || attempt >= 2) throw result.error;
    }
  };
}

function onlyRun(result: PeerResult<RemoteRun>): PeerResult<Run> {
  return result.ok ? { ok: true, value: result.value.run } : result;
}

/** True for what may be over in a moment: the run's node is away or being restarted. */
function isAway(error: unknown): boolean {
  return error instanceof AstromeshError && error.code === "no_service";
}

async function settle(deps: SubmitDeps, runId: string, timeoutMs: number, scope: CallScope): Promise<Run> {
  const { finder, local, remote, clock, placements } = deps;
  const deadline = clock.monotonic() + timeoutMs;
  let run: Run | null = null;
  for (let misses = 0; ;) {
    const leftMs = Math.max(0, deadline - clock.monotonic());
    try {
      const peer: Peer | null = peerOf(deps, runId, scope) ?? (await finder.find(runId, scope)).peer;
      if (peer === null) return await local.settled(runId, scope.principal, leftMs, scope.signal);
      const result = await remote.settled(peer, runId, Math.min(leftMs, SLICE_MS), scope);
      if (!result.ok) throw result.error;
      run = result.value.run;
      if (result.value.inferenceNode !== null) placements.answeredBy(runId, result.value.inferenceNode);
      misses = 0;
      if (isSettled(run) || leftMs <= SLICE_MS) return run;
    } catch (error) {
      scope.signal.throwIfAborted();
      if (!isAway(error)) throw error;
      if (leftMs === 0) {
        if (run !== null) return run;
        const message = "the run goes on when its node is back; read it by its id";
        throw new AstromeshError("run_timeout", message, { cause: error, details: { run_id: runId } });
      }
      const waitMs = AWAY_MS[Math.min(misses, AWAY_MS.length - 1)] ?? SLICE_MS;
      misses += 1;
      await clock.sleep(Math.min(waitMs, leftMs), scope.signal);
    }
  }
}

/** The peer that a run was put on, without asking whether it is still there. */
function peerOf({ placements, router }: SubmitDeps, runId: string, { via }: CallScope): Peer | null {
  const placed = placements.runs.get(runId);
  if (placed === undefined) return null;
  return router.holders("agents", via).find(({ key, status }) => key === placed.key && status !== "suspect") ?? null;
}

async function* follow(
  deps: SubmitDeps,
  runId: string,
  after: StreamPlaceAfter,
  scope: CallScope,
): AsyncGenerator<StreamEvent> {
  const { finder, local, remote, clock } = deps;
  let place = after;
  let awaySince: number | null = null;
  for (let misses = 0; !scope.signal.aborted;) {
    try {
      const peer: Peer | null = peerOf(deps, runId, scope) ?? (await finder.find(runId, scope)).peer;
      if (peer === null) return yield* local.events(runId, scope.principal, place, scope.signal);
      const events = remote.events(peer, runId, place, scope);
      let next = await events.next();
      for (; next.done !== true; next = await events.next()) {
        const item = next.value;
        misses = 0;
        awaySince = null;
        place = { attempt: item.attempt, offset: item.offset };
        yield item;
        if (isFinal(item.event)) return;
      }
      if (next.value === null) return;
      throw next.value.error;
    } catch (error) {
      if (scope.signal.aborted) return;
      if (!isAway(error)) throw error;
      awaySince ??= clock.monotonic();
      if (clock.monotonic() - awaySince > PATIENCE_MS) throw error;
      const waitMs = AWAY_MS[Math.min(misses, AWAY_MS.length - 1)] ?? SLICE_MS;
      misses += 1;
      await clock.sleep(waitMs, scope.signal).catch(() => undefined);
    }
  }
}

async function listAll(
  { local, remote, finder }: SubmitDeps,
  scope: CallScope,
  filter: Parameters<Runs["list"]>[0],
): Promise<readonly Run[]> {
  const remotes = finder.stores(scope).map(async (peer) => {
    const result = await remote.list(peer, filter, scope);
    return result.ok ? result.value : [];
  });
  const pages = await Promise.all([local.list(filter, scope.principal), ...remotes]);
  const byId = new Map(pages.flat().map((run) => [run.runId, run]));
  return [...byId.values()].toSorted((a, b) => (a.runId < b.runId ? 1 : -1)).slice(0, filter.limit);
}

/** The timelines of all stores as one, with the choice that routing made in front. */
async function timelineOfAll(deps: SubmitDeps, scope: CallScope, traceId: string): Promise<Timeline> {
  const { local, remote, finder, placements, router } = deps;
  const here = local.timeline(traceId, scope.principal).catch((error: unknown) => {
    if (error instanceof AstromeshError && error.code === "run_not_found") return null;
    throw error;
  });
  const remotes = finder.stores(scope).map(async (peer) => {
    const result = await remote.timeline(peer, traceId, scope);
    return result.ok ? result.value : null;
  });
  const found = (await Promise.all([here, ...remotes])).filter((timeline) => timeline !== null);
  if (found.length === 0) throw new AstromeshError("run_not_found", `There is no run of trace ${traceId}.`);
  const picked = placements.picks.get(traceId);
  const choice =
    picked === undefined
      ? []
      : [
          {
            spanId: picked.spanId,
            parentSpanId: null,
            runId: picked.runId,
            kind: "route",
            name: router.self.name,
            startedAt: picked.at,
            endedAt: picked.at,
            status: "ok" as const,
            attempt: 0,
            nodeId: router.self.nodeId,
            attributes: picked.explain,
          },
        ];
  return {
    traceId,
    runs: found.flatMap(({ runs }) => runs),
    spans: [...choice, ...found.flatMap(({ spans }) => spans)],
  };
}
