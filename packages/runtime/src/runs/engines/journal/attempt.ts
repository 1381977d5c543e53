/**
 * One attempt: an owner's stretch of work on a run, from its claim to the run's end, its parking, or the loss of it.
 *
 * T1 The first reason to stop counts; from then on the loop gets no more answers.
 * T2 An attempt that lost its run writes nothing more.
 * T3 Every other attempt ends with one write that changes the status, and that write carries what is still pending.
 */
import { AstromeshError, toAstromeshError } from "../../../core/index.ts";
import type { Json, LoopOutcome, Pattern, Run } from "../../../core/index.ts";
import type { RunSignal } from "../../../core/ports/index.ts";
import { observed } from "../../observer.ts";
import { createRootBranch } from "./branch.ts";
import type { Branch } from "./branch.ts";
import { conclude } from "./conclude.ts";
import type { AttemptEnd, LoopEnd } from "./conclude.ts";
import { createLoopContext } from "./context.ts";
import { createAttemptKit } from "./create-kit.ts";
import { cutRecords } from "./cut.ts";
import type { AttemptDeps, AttemptKit, AttemptStart, Interrupt } from "./kit.ts";
import { progressPatch } from "./kit.ts";
import { createReplayIndex, payloadOf } from "./replay.ts";
import { CHECKPOINT_POSITION, loadRun, mendStream, openingOf, recover } from "./take-up.ts";
import { isStoreTrouble } from "./writer.ts";

/** An attempt under way. */
export interface Attempt {
  readonly run: Run;
  /** Never rejects. */
  readonly ended: Promise<AttemptEnd>;
  /** Resolves when the replay is over: the attempt does something new, or has ended. */
  readonly live: Promise<void>;
  /** Stops the attempt; the first reason counts (T1). */
  interrupt(reason: Interrupt): void;
  deliver(signal: RunSignal): void;
}

/** Starts an attempt. */
export function startAttempt(attemptDeps: AttemptDeps, start: AttemptStart): Attempt {
  const stop = createStop();
  const early: RunSignal[] = [];
  let goLive = (): void => {};
  const live = new Promise<void>((resolve) => {
    goLive = resolve;
  });
  let kit: AttemptKit | null = null;

  const work = async (): Promise<AttemptEnd> => {
    const { store, observer } = attemptDeps.deps;
    const taken = await loadRun(store, start.run, start.fresh);
    const made = createAttemptKit(attemptDeps, start, taken, { ...stop, goLive });
    kit = made.kit;
    kit.waits.deliver([...taken.signals, ...early]);
    observer.runStarted(observed(start.run));
    if (start.died) observer.takenOver(observed(start.run));
    try {
      watchControls(kit);
      watchWorkTime(kit);
      const end = await driveLoop(kit, start, taken.streamHead, stop.interrupted);
      return await conclude(kit, end, made.parking(), (reason) => made.over(reason));
    } finally {
      const why = kit.signal.reason as AstromeshError | undefined;
      const reason = why ?? new AstromeshError("stale_epoch", "The attempt is over.");
      made.over(reason);
      kit.writer.close(reason);
      kit.stream.close();
    }
  };

  const ended = work()
    .catch((thrown: unknown): AttemptEnd => {
      const error = toAstromeshError(thrown);
      attemptDeps.deps.observer.attemptLost(observed(start.run), error.code);
      return { kind: "lost", error };
    })
    .finally(() => goLive());

  return {
    run: start.run,
    ended,
    live,
    interrupt: (reason) => stop.interrupt(reason),
    deliver: (signal) => {
      if (kit === null) early.push(signal);
      else kit.waits.deliver([signal]);
    },
  };
}

interface Stop {
  readonly interrupted: Promise<Interrupt>;
  interrupt(reason: Interrupt): void;
}

function createStop(): Stop {
  let interrupt = (_reason: Interrupt): void => {};
  const interrupted = new Promise<Interrupt>((resolve) => {
    interrupt = resolve;
  });
  return { interrupted, interrupt };
}

/** Replays the journal and goes on, segment after segment, until the loop has an answer or is stopped. */
async function driveLoop(
  kit: AttemptKit,
  start: AttemptStart,
  streamHead: number,
  interrupted: Promise<Interrupt>,
): Promise<LoopEnd> {
  const { run, definition } = start;
  rememberChildren(kit);
  if (run.cancelRequestedAt !== null) return { kind: "cancelled" };
  const pattern = kit.deps.patterns(definition.orchestration.pattern);
  if (pattern === null) {
    const message = `This release has no pattern ${definition.orchestration.pattern}.`;
    return { kind: "failed", error: new AstromeshError("agent_invalid", message) };
  }
  if (start.died) {
    const hopeless = await recover(kit);
    if (hopeless !== null) return hopeless;
  }
  if (!start.fresh) await mendStream(kit, streamHead);
  kit.stream.emit({ type: "run.started", attempt: run.attempt, agent: run.agent });
  for (;;) {
    const { state, at } = openingOf(run, kit.segment().replay);
    const root = createRootBranch(kit.signal, at);
    const end = await Promise.race([interrupted, runSegment(kit, pattern, root, state)]);
    if (end.kind !== "continue") return end;
    await beginSegment(kit, root, end.state);
  }
}

/** Children that an earlier attempt started and did not see end: they end with this run, even if its loop does not. */
function rememberChildren(kit: AttemptKit): void {
  const { replay } = kit.segment();
  for (const record of replay.records) {
    if (record.kind !== "child" || record.phase !== "intent" || replay.at(record.position)?.outcome) continue;
    kit.openChildren.set(record.position, payloadOf(record)["runId"] as string);
  }
}

async function runSegment(
  kit: AttemptKit,
  pattern: Pattern,
  root: Branch,
  state: Json,
): Promise<LoopOutcome | Interrupt> {
  const { run, definition } = kit;
  const input = { runId: run.runId, definition, query: run.input.query, state };
  try {
    return await pattern(createLoopContext(kit, input, new Map(), root));
  } catch (thrown) {
    const error = toAstromeshError(thrown);
    if (error.code === "internal") kit.deps.logger.error("the loop failed", { runId: run.runId, error });
    return { kind: "failed", error };
  }
}

/** Writes the checkpoint and starts the next segment with an empty history; the threads stay. */
async function beginSegment(kit: AttemptKit, root: Branch, state: Json): Promise<void> {
  const cut = cutRecords(kit, () => true);
  root.cut(new AstromeshError("cancelled", "The segment has ended."));
  for (const runId of kit.openChildren.values()) await kit.children.cancel(runId);
  kit.openChildren.clear();
  const segment = kit.segment().number + 1;
  const checkpoint = {
    segment,
    position: CHECKPOINT_POSITION,
    phase: "done",
    kind: "checkpoint",
    effectClass: null,
    inputDigest: null,
    payload: { state },
    attempt: kit.run.attempt,
    at: kit.deps.clock.now(),
  } as const;
  await kit.writer.write({ records: [...cut, checkpoint], patch: { ...progressPatch(kit), segment } });
  kit.enterSegment(segment, createReplayIndex([{ ...checkpoint, seq: 0 }]));
}

/** Fails the run when its working time is over. */
function watchWorkTime(kit: AttemptKit): void {
  const { run, deps } = kit;
  const leftMs = Math.max(0, run.workLimitMs - run.workedMs);
  const message = `The run has worked for its limit of ${run.workLimitMs} ms.`;
  const over = (): void => kit.interrupt({ kind: "failed", error: new AstromeshError("run_timeout", message) });
  deps.clock.sleep(leftMs, kit.signal).then(over, () => {});
}

/** Looks for cancels and signals that another node of the same store took in. */
function watchControls(kit: AttemptKit): void {
  const { run, deps, options } = kit;
  const look = async (): Promise<void> => {
    for (;;) {
      await deps.clock.sleep(options.controlPollMs, kit.signal);
      try {
        const row = await deps.store.get(run.runId);
        if (row !== null && row.cancelRequestedAt !== null) kit.interrupt({ kind: "cancelled" });
        if (kit.waits.wantsSignals()) kit.waits.deliver(await deps.store.signals(run.runId));
      } catch (thrown) {
        if (!isStoreTrouble(toAstromeshError(thrown))) throw thrown;
      }
    }
  };
  look().catch((thrown: unknown) => {
    if (!kit.signal.aborted) kit.deps.logger.error("a run's controls are not watched", { error: thrown });
  });
}
