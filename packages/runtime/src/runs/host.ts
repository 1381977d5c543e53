import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { Run } from "../core/index.ts";
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
  const { store, clock, logger, nodeId } = deps;
  const streams = createStreams({ now: clock.now, bufferEvents: options.streamBuffer });
  const watch = createRunWatch({ store, clock, pollMs: options.pollMs });
  let draining = false;

  const cancel = async (runId: string): Promise<void> => {
    await store.requestCancel(runId, clock.now());
    const attempt = table.get(runId);
    if (attempt === undefined) scheduler.nudge();
    else attempt.interrupt({ kind: "cancelled" });
  };
  const deliver = (signal: RunSignal): void => {
    const attempt = table.get(signal.runId);
    if (attempt === undefined) scheduler.nudge();
    else attempt.deliver(signal);
  };
  const onEnded = (run: Run, end: AttemptEnd): void => {
    watch.changed(run.runId);
    // It may have parked as `queued`, because a signal was faster; and its slot is free.
    if (end.kind === "parked" || scheduler.backlogged()) scheduler.nudge();
    if (end.kind === "ended" && run.parentRunId !== null) {
      signalParent(deps, run, deliver).catch((thrown: unknown) => {
        // The parent looks by itself after a while.
        logger.warn("a parent was not told", { runId: run.runId, error: toAstromeshError(thrown) });
      });
    }
  };

  const leases = createLeases({
    ...deps,
    leaseMs: options.leaseMs,
    renewMs: options.leaseRenewMs,
    onLost: (runId) => table.get(runId)?.interrupt({ kind: "lost", error: leaseLost(runId) }),
  });
  const children = createChildRuns({ deps, options, cancel, onQueued: () => scheduler.nudge() });
  const attemptDeps: AttemptDeps = { deps, options, streams, children };
  const table: AttemptTable = createAttemptTable({
    ...deps,
    leases,
    leaseMs: options.leaseMs,
    maxConcurrent: options.maxConcurrent,
    launch: (run, definition, how) =>
      startAttempt(attemptDeps, { run, definition, ...how, leaseEnd: () => leases.endOf(run.runId) }),
    onEnded,
  });
  const scheduler: Scheduler = createScheduler({
    store,
    clock,
    logger,
    table,
    nodeId,
    pollMs: options.pollMs,
    maxResuming: options.maxResuming,
  });
  const housekeeping = createHousekeeping({
    store,
    clock,
    logger,
    retention: options.retention,
    everyMs: options.sweepMs,
  });

  const atMost = (delayMs: number): Promise<unknown> => Promise.race([table.allEnded(), clock.sleep(delayMs)]);

  return {
    table,
    scheduler,
    streams,
    watch,
    cancel,
    deliver,
    draining: () => draining,
    start: () => {
      draining = false;
      leases.start();
      scheduler.start();
      housekeeping.start();
    },
    stop: async (graceMs) => {
      draining = true;
      await scheduler.stop();
      await atMost(graceMs);
      for (const attempt of table.each()) attempt.interrupt({ kind: "released" });
      await atMost(RELEASE_MS);
      leases.stop();
      housekeeping.stop();
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
