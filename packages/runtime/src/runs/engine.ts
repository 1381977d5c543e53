import { hasScope, isSettled } from "../core/index.ts";
import type { Principal, Run } from "../core/index.ts";
import type { RunFilter, Runs, RunSignal } from "../core/ports/index.ts";
import { canSee, checkAnswer, checkSignal, questionOf, refuseSteering, visible } from "./access.ts";
import { createHost } from "./host.ts";
import type { RunHost } from "./host.ts";
import { RUN_ENGINE_DEFAULTS } from "./options.ts";
import type { RunEngineDeps, RunEngineOptions } from "./options.ts";
import { readEvents } from "./stream-reader.ts";
import { createSubmit } from "./submit.ts";
import { timelineOf } from "./timeline.ts";

/** How the engine does. */
export interface RunEngineStatus {
  /** Runs at work on this node. */
  readonly active: number;
  /** Runs that could start at once. */
  readonly free: number;
  /** Queued runs are known to wait for a slot. */
  readonly backlogged: boolean;
  readonly draining: boolean;
  /** Clients that watch runs here. */
  readonly watchers: number;
}

/** The durable runs of a node. */
export interface RunEngine extends Runs {
  /** Takes up the runs that this node's last process left, and whatever else is due. The store must be ready. */
  start(): void;
  /**
   * Refuses new runs, lets those at work end for `graceMs`, then gives the rest back to the queue, where the next
   * start (or another node of the store) finds them. Idempotent.
   */
  stop(limit: { readonly graceMs: number }): Promise<void>;
  status(): RunEngineStatus;
}

/** More runs than this are not shown in one timeline. */
const TIMELINE_RUNS = 1_000;

/** Creates the engine of a node. See RunEngineOptions for what may be set and the defaults. */
export function createRunEngine(deps: RunEngineDeps, given: Partial<RunEngineOptions> = {}): RunEngine {
  const options: RunEngineOptions = { ...RUN_ENGINE_DEFAULTS, ...given };
  const { store } = deps;
  const host = createHost(deps, options);
  const find = async (runId: string, principal: Principal): Promise<Run> =>
    visible(await store.get(runId), runId, principal);
  /** Refuses whom `find` would refuse; whose a run is never changes, so one at work here need not be read for it. */
  const allow = async (runId: string, principal: Principal): Promise<void> => {
    visible(host.table.get(runId)?.run ?? (await store.get(runId)), runId, principal);
  };

  return {
    ...createSteering(deps, options, host, find),
    start: () => host.start(),
    stop: ({ graceMs }) => host.stop(graceMs),
    status: () => ({
      active: host.table.active(),
      free: host.table.free(),
      backlogged: host.scheduler.backlogged(),
      draining: host.draining(),
      watchers: host.streams.watchers(),
    }),
    submit: createSubmit({ deps, options, ...host }),
    get: find,
    list: (filter, principal) => listVisible(deps, filter, principal),
    journal: async (runId, principal) => {
      await find(runId, principal);
      return store.journal(runId);
    },
    events: async function* events(runId, principal, after, signal) {
      await allow(runId, principal);
      const reader = { store, streams: host.streams, clock: deps.clock, pollMs: options.streamPollMs };
      yield* readEvents(reader, runId, after, signal);
    },
    settled: async (runId, principal, timeoutMs, signal) => {
      await allow(runId, principal);
      return visible(await host.watch.until(runId, isSettled, { timeoutMs, signal }), runId, principal);
    },
    timeline: async (traceId, principal) => {
      const found = await store.list({ traceId, limit: TIMELINE_RUNS });
      const runs = found.filter((run) => canSee(run, principal));
      if (runs.length === 0) visible(null, `of trace ${traceId}`, principal);
      const journals = await Promise.all(runs.map(async (run) => ({ run, journal: await store.journal(run.runId) })));
      return { traceId, runs, spans: timelineOf(journals) };
    },
  };
}

/** Cancels and signals: on disk first, then told to the attempt, if it works here. */
function createSteering(
  deps: RunEngineDeps,
  options: RunEngineOptions,
  host: RunHost,
  find: (runId: string, principal: Principal) => Promise<Run>,
): Pick<RunEngine, "cancel" | "signal"> {
  const { store, clock, ids } = deps;
  return {
    cancel: async (runId, principal) => {
      const run = await find(runId, principal);
      if (run.status === "cancelled") return run;
      refuseSteering(run, principal);
      await host.cancel(runId);
      return find(runId, principal);
    },
    signal: async (runId, principal, sent) => {
      const run = await find(runId, principal);
      const question = questionOf(sent.name);
      const checked =
        question === null
          ? checkSignal(run, principal, sent)
          : checkAnswer(run, principal, question, sent, await store.journal(runId, run.segment), options.selfApproval);
      const signal: RunSignal = {
        ...checked,
        // A client's ids are its own: they never meet those of others, or of the engine.
        signalId: sent.signalId === null ? ids.make("sig") : `${principal.id}:${sent.signalId}`,
        runId,
        sender: principal.id,
        at: clock.now(),
      };
      if (!(await store.signal(signal))) refuseSteering(await find(runId, principal), principal);
      host.deliver(signal);
      return (await store.get(runId)) ?? run;
    },
  };
}

/** Runs of a filter that the principal may see. Who may approve also gets the waiting runs that ask people. */
async function listVisible({ store }: RunEngineDeps, filter: RunFilter, principal: Principal): Promise<readonly Run[]> {
  if (hasScope(principal, "admin")) return store.list(filter);
  if (filter.status === "waiting" && hasScope(principal, "approve")) {
    const runs = await store.list(filter);
    return runs.filter((run) => canSee(run, principal));
  }
  if (filter.principalId !== undefined && filter.principalId !== principal.id) return [];
  return store.list({ ...filter, principalId: principal.id });
}
