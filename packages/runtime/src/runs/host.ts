import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { Clock, Run } from "../core/index.ts";
import type { RunSignal } from "../core/ports/index.ts";
import { createAttemptTable } from "./attempt-table.ts";
import type { AttemptTable } from "./attempt-table.ts";
import { createChildRuns } from "./child-runs.ts";
import { childSignalId, childSignalName, startAttempt } from "./engines/journal/index.ts";
import type { AttemptDeps, AttemptEnd } from "./engines/journal/index.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { createLeases } from "./leases.ts";
import type { RunEngineDeps, RunEngineOptions } from "./options.ts";
import { createRunWatch } from "./run-watch.ts";
import type { RunWatch } from "./run-watch.ts";
import { createScheduler } from "./scheduler.ts";
import type { Scheduler } from "./scheduler.ts";
import { createStreams } from "./streams.ts";
import type { Streams } from "./streams.ts";

/** The machinery of a node's runs, behind the facade. */
export interface RunHost {
  readonly table: AttemptTable;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly watch: RunWatch;
  /** Writes the wish to cancel down and stops the run if it works here. */
  cancel(runId: string): Promise<void>;
  /** Tells a run of a signal that is on disk. */
  deliver(signal: RunSignal): void;
  draining(): boolean;
  start(): void;
  stop(graceMs: number): Promise<void>;
}

/** How long attempts may take to give their runs back when the grace is over. Milliseconds. */
const RELEASE_MS = 5_000;

/** Puts the parts of a node's engine together. */
export function createHost(deps: RunEngineDeps, options: RunEngineOptions): RunHost {
  const { store, clock } = deps;
  const streams = createStreams({ now: () => clock.now(), bufferEvents: options.streamBuffer });
  const watch = createRunWatch({
    store,
    clock,
    pollMs: options.pollMs,
    worksHere: (runId) => table.get(runId) !== undefined,
  });
  const leases = createLeases({
    ...deps,
    leaseMs: options.leaseMs,
    renewMs: options.leaseRenewMs,
    onLost: (runId) => table.get(runId)?.interrupt({ kind: "lost", error: leaseLost(runId) }),
    onStray: (runId) => scheduler.stray(runId),
  });
  const tell = createTelling(deps, { watch, table: () => table, scheduler: () => scheduler });
  const children = createChildRuns({ deps, options, cancel: tell.cancel, onQueued: () => scheduler.nudge() });
  const attemptDeps: AttemptDeps = { deps, options, streams, children };
  const table: AttemptTable = createAttemptTable({
    ...deps,
    leases,
    leaseMs: options.leaseMs,
    maxConcurrent: options.maxConcurrent,
    launch: (run, definition, how) =>
      startAttempt(attemptDeps, { run, definition, ...how, leaseEnd: () => leases.endOf(run.runId) }),
    onEnded: tell.ended,
  });
  const scheduler: Scheduler = createScheduler({ ...deps, ...options, table });
  const housekeeping = createHousekeeping({ ...deps, retention: options.retention, everyMs: options.sweepMs });
  return {
    table,
    scheduler,
    streams,
    watch,
    ...tell,
    ...createLifecycle(clock, table, [leases, scheduler, housekeeping]),
  };
}

interface Loop {
  start(): void;
  stop(): unknown;
}

/** Starts and stops the loops; at the end runs get their grace, then are given back. */
function createLifecycle(clock: Clock, table: AttemptTable, [leases, scheduler, housekeeping]: [Loop, Loop, Loop]) {
  let draining = false;
  const ended = (atMostMs: number): Promise<unknown> => Promise.race([table.allEnded(), clock.sleep(atMostMs)]);
  return {
    draining: () => draining,
    start: (): void => {
      draining = false;
      for (const loop of [leases, scheduler, housekeeping]) loop.start();
    },
    stop: async (graceMs: number): Promise<void> => {
      draining = true;
      await scheduler.stop();
      await ended(graceMs);
      for (const attempt of table.each()) attempt.interrupt({ kind: "released" });
      await ended(RELEASE_MS);
      leases.stop();
      housekeeping.stop();
    },
  };
}

/** What this node's parts tell each other about a run, after it is on disk. */
function createTelling(
  deps: RunEngineDeps,
  parts: { readonly watch: RunWatch; readonly table: () => AttemptTable; readonly scheduler: () => Scheduler },
) {
  const { store, clock, logger } = deps;
  const deliver = (signal: RunSignal): void => {
    const attempt = parts.table().get(signal.runId);
    if (attempt === undefined) parts.scheduler().nudge();
    else attempt.deliver(signal);
  };
  return {
    deliver,
    cancel: async (runId: string): Promise<void> => {
      await store.requestCancel(runId, clock.now());
      const attempt = parts.table().get(runId);
      if (attempt === undefined) parts.scheduler().nudge();
      else attempt.interrupt({ kind: "cancelled" });
    },
    ended: (run: Run, end: AttemptEnd): void => {
      parts.watch.changed(run.runId);
      // It may have parked as `queued`, because a signal was faster; and its slot is free.
      if (end.kind === "parked" || parts.scheduler().backlogged()) parts.scheduler().nudge();
      if (end.kind !== "ended" || run.parentRunId === null) return;
      signalParent(deps, run, deliver).catch((thrown: unknown) => {
        // The parent looks by itself after a while.
        logger.warn("a parent was not told", { runId: run.runId, error: toAstromeshError(thrown) });
      });
    },
  };
}

function leaseLost(runId: string): AstromeshError {
  return new AstromeshError("stale_epoch", `The lease of run ${runId} was not renewed in time.`);
}

/** A child's end, on disk by now, wakes its parent. */
async function signalParent(
  { store, clock }: RunEngineDeps,
  run: Run,
  deliver: (signal: RunSignal) => void,
): Promise<void> {
  const signal: RunSignal = {
    signalId: childSignalId(run.runId),
    runId: run.parentRunId ?? "",
    name: childSignalName(run.parentPosition ?? ""),
    payload: { runId: run.runId },
    sender: `run:${run.runId}`,
    at: clock.now(),
  };
  if (await store.signal(signal)) deliver(signal);
}
