import { AstromeshError, toErrorRecord } from "../../../core/index.ts";
import type { Json, LoopOutcome, RunEvent, StopReason } from "../../../core/index.ts";
import type { RunPatch } from "../../../core/ports/index.ts";
import { stopReasonOf, transition } from "../../machine.ts";
import { observed } from "../../observer.ts";
import { finalEventOf } from "../../stream-reader.ts";
import { cutRecords } from "./cut.ts";
import type { AttemptKit, Interrupt } from "./kit.ts";
import { progressPatch } from "./kit.ts";
import type { ParkingSpec } from "./waits.ts";

/** How an attempt ended. */
export type AttemptEnd =
  | { readonly kind: "ended" }
  | { readonly kind: "parked"; readonly wakeAt: number | null }
  | { readonly kind: "released" }
  | { readonly kind: "lost"; readonly error: AstromeshError };

/** What ended the loop: its answer, or a reason to stop it. */
export type LoopEnd = Extract<LoopOutcome, { kind: "answer" }> | Interrupt;

/** Writes the attempt's last change (T3). `over` stops whatever is under way. */
export async function conclude(
  kit: AttemptKit,
  end: LoopEnd,
  parking: ParkingSpec | null,
  over: (reason: AstromeshError) => void,
): Promise<AttemptEnd> {
  switch (end.kind) {
    case "answer":
      return answer(kit, end, over);
    case "failed":
      return finish(kit, { as: "failed", stopReason: stopReasonOf(end.error.code), error: end.error }, over);
    case "cancelled": {
      const error = new AstromeshError("cancelled", "The run was cancelled.");
      return finish(kit, { as: "cancelled", stopReason: "cancelled", error }, over);
    }
    case "parked":
      return park(kit, parking, over);
    case "released":
      return release(kit, over);
    case "lost":
      break;
  }
  over(end.error);
  kit.writer.close(end.error);
  kit.deps.observer.attemptLost(observed(kit.run), end.error.code);
  return { kind: "lost", error: end.error };
}

async function answer(
  kit: AttemptKit,
  end: Extract<LoopOutcome, { kind: "answer" }>,
  over: (reason: AstromeshError) => void,
): Promise<AttemptEnd> {
  const message = end.index === null ? null : await kit.threads.at(end.thread, end.index);
  const response = message?.text ?? "";
  const output = kit.definition.outputSchema === null ? null : parsed(response);
  return finish(kit, { as: "completed", stopReason: end.stopReason, response, output }, over);
}

/** The answer as data; null when it is no JSON. Whether it fits the schema was the model's and the pattern's task. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** Made once: an error takes its stack along, and every run that completes would make one that nobody reads. */
const RUN_ENDED = new AstromeshError("cancelled", "The run has ended.");

interface Finish {
  readonly as: "completed" | "failed" | "cancelled";
  readonly stopReason: StopReason;
  readonly response?: string;
  readonly output?: Json;
  readonly error?: AstromeshError;
}

async function finish(kit: AttemptKit, end: Finish, over: (reason: AstromeshError) => void): Promise<AttemptEnd> {
  const { clock, observer } = kit.deps;
  const records = cutRecords(kit, () => true);
  over(end.error ?? RUN_ENDED);
  // First the children, then the end: a crash in between repeats this, the other way round would forget them.
  for (const runId of kit.openChildren.values()) await kit.children.cancel(runId);
  const endedAt = clock.now();
  const patch = {
    ...progressPatch(kit),
    status: transition("running", { type: "ended", as: end.as }),
    stopReason: end.stopReason,
    response: end.response ?? null,
    output: end.output ?? null,
    error: end.as === "failed" ? toErrorRecord(end.error) : null,
    wakeAt: null,
    waitReason: null,
    waitDeadlineAt: null,
    endedAt,
  } satisfies RunPatch;
  const sealed = kit.stream.seal(finalEventOf({ ...patch, usage: kit.totals().usage }));
  await kit.writer.write({ records, patch, stream: [sealed] });
  kit.stream.publish(sealed);
  if (end.stopReason === "poison") observer.quarantined(observed(kit.run));
  if (end.error?.code === "journal_mismatch") observer.journalMismatch(observed(kit.run));
  observer.runEnded(observed(kit.run), {
    status: patch.status,
    stopReason: end.stopReason,
    errorCode: end.error?.code ?? null,
    durationMs: endedAt - kit.run.createdAt,
    usage: kit.totals().usage,
    model: kit.totals().model,
    provider: kit.totals().provider,
  });
  return { kind: "ended" };
}

async function park(
  kit: AttemptKit,
  parking: ParkingSpec | null,
  over: (reason: AstromeshError) => void,
): Promise<AttemptEnd> {
  if (parking === null) throw new AstromeshError("internal", "A run was parked that waits for nothing.");
  const { reason, names, wakeAt, deadlineAt } = parking;
  over(new AstromeshError("cancelled", "The run waits."));
  // A parent looks after its child now and then: that is no time to tell people.
  const until = reason === "child" ? deadlineAt : (wakeAt ?? deadlineAt);
  const waiting: RunEvent = { type: "waiting", reason, until };
  const sealed = kit.isLive() ? [kit.stream.seal(waiting)] : [];
  await kit.writer.write({
    patch: {
      ...progressPatch(kit),
      status: transition("running", { type: "parked", signalled: false }),
      waitReason: reason,
      wakeAt,
      waitDeadlineAt: deadlineAt,
      fruitlessAttempts: 0,
    },
    unlessSignalled: names,
    stream: sealed,
  });
  for (const event of sealed) kit.stream.publish(event);
  kit.deps.observer.parked(observed(kit.run), reason);
  return { kind: "parked", wakeAt };
}

async function release(kit: AttemptKit, over: (reason: AstromeshError) => void): Promise<AttemptEnd> {
  over(new AstromeshError("draining", "The node is shutting down."));
  const status = transition("running", { type: "released" });
  await kit.writer.write({ patch: { ...progressPatch(kit), status, fruitlessAttempts: 0 } });
  return { kind: "released" };
}
