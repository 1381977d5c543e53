import { AstromeshError } from "../../../core/index.ts";
import type { Run } from "../../../core/index.ts";
import { createEffectExecutors, createThreads } from "../../effects/index.ts";
import type { EffectScope, Threads } from "../../effects/index.ts";
import { runSpanId } from "../../spans.ts";
import type { RunStream } from "../../streams.ts";
import { createActivity } from "./activity.ts";
import type { AttemptDeps, AttemptKit, AttemptStart, InFlight, Interrupt, Totals } from "./kit.ts";
import { expectThreads } from "./take-up.ts";
import type { TakenUp } from "./take-up.ts";
import { createWaits } from "./waits.ts";
import type { ParkingSpec } from "./waits.ts";
import { createJournalWriter } from "./writer.ts";

/** An attempt's kit, and the two things that only its driver needs. */
export interface MadeKit {
  readonly kit: AttemptKit;
  /** What the run waits for, once it was found to wait for all it does. */
  parking(): ParkingSpec | null;
  /** Aborts whatever is under way. */
  over(reason: AstromeshError): void;
}

/** Puts the parts of an attempt together. */
export function createAttemptKit(
  attemptDeps: AttemptDeps,
  start: AttemptStart,
  taken: TakenUp,
  driver: { readonly interrupt: (reason: Interrupt) => void; readonly goLive: () => void },
): MadeKit {
  const { deps, options, children } = attemptDeps;
  const { run, definition } = start;
  const controller = new AbortController();
  const begunAt = deps.clock.monotonic();
  const sums = createSums(start.run, deps.clock.now());
  let segment = { number: run.segment, replay: taken.replay };
  let parking: ParkingSpec | null = null;
  let live = false;

  const activity = createActivity(() => {
    if (controller.signal.aborted || parking !== null) return;
    parking = waits.park();
    if (parking !== null) driver.interrupt({ kind: "parked" });
  });
  const waits = createWaits({ clock: deps.clock, activity });
  const { writer, stream } = createOutlets(attemptDeps, start, taken, driver.interrupt);
  const threads = createThreads(deps.store, run.runId, start.fresh);
  expectThreads(threads, taken.replay.records);

  const kit: AttemptKit = {
    deps,
    options,
    run,
    definition,
    spanId: runSpanId(run.runId),
    writer,
    stream,
    threads,
    executors: createEffectExecutors(scopeOf(attemptDeps, start, { threads, stream, totals: sums.totals })),
    children,
    ...sums,
    activity,
    waits,
    inFlight: new Map<string, InFlight>(),
    openChildren: new Map(),
    signal: controller.signal,
    segment: () => segment,
    enterSegment: (number, replay) => {
      segment = { number, replay };
    },
    workedMs: () => run.workedMs + Math.round(deps.clock.monotonic() - begunAt),
    mayPerform: () => {
      if (controller.signal.aborted) return false;
      if (deps.clock.monotonic() < start.leaseEnd()) return true;
      driver.interrupt({ kind: "lost", error: new AstromeshError("stale_epoch", "The run's lease has ended.") });
      return false;
    },
    interrupt: driver.interrupt,
    goLive: () => {
      live = true;
      driver.goLive();
    },
    isLive: () => live,
  };
  return { kit, parking: () => parking, over: (reason) => controller.abort(reason) };
}

/** The writer and the stream, each of which needs the other. */
function createOutlets(
  { deps, options, streams }: AttemptDeps,
  { run, leaseEnd }: AttemptStart,
  taken: TakenUp,
  interrupt: (reason: Interrupt) => void,
) {
  const writer = createJournalWriter({
    store: deps.store,
    clock: deps.clock,
    random: deps.random,
    guard: { runId: run.runId, ownerNodeId: deps.nodeId, epoch: run.epoch },
    headSeq: run.headSeq,
    leaseEnd,
    streamFlushMs: options.streamFlushMs,
    streamFlushEvents: options.streamFlushEvents,
    onLogged: (offset) => stream.logged(offset),
    onFailed: (error) => interrupt({ kind: "lost", error }),
  });
  const stream: RunStream = streams.open({
    runId: run.runId,
    attempt: run.attempt,
    head: taken.streamHead,
    log: (event) => writer.log(event),
  });
  return { writer, stream };
}

function scopeOf(
  { deps, options }: AttemptDeps,
  { run, definition }: AttemptStart,
  own: { readonly threads: Threads; readonly stream: RunStream; readonly totals: () => Totals },
): EffectScope {
  return {
    run,
    definition,
    threads: own.threads,
    stream: own.stream,
    clock: deps.clock,
    gateway: deps.gateway,
    registry: deps.tools,
    contextBuilder: deps.contextBuilder,
    memory: deps.memory,
    store: deps.store,
    toolTextBytes: options.toolTextBytes,
    used: () => own.totals().usage,
  };
}

/** The run's sums, and which of them the store does not know yet. */
function createSums(run: Run, now: number): Pick<AttemptKit, "totals" | "addTotals" | "newTotals"> {
  const { usage, lostUsage, modelMs, toolMs, model, provider } = run;
  let totals: Totals = { usage, lostUsage, modelMs, toolMs, model, provider, startedAt: run.startedAt ?? now };
  let unwritten: Partial<Totals> = run.startedAt === null ? { startedAt: now } : {};
  return {
    totals: () => totals,
    addTotals: (more) => {
      totals = { ...totals, ...more };
      unwritten = { ...unwritten, ...more };
    },
    newTotals: () => {
      const changed = unwritten;
      unwritten = {};
      return changed;
    },
  };
}
