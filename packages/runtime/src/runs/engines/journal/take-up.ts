import { AstromeshError, isJsonObject } from "../../../core/index.ts";
import type { Json, Run, StreamEvent } from "../../../core/index.ts";
import type { JournalRecord, RunSignal, RunStore } from "../../../core/ports/index.ts";
import type { Threads } from "../../effects/index.ts";
import type { AttemptKit, Interrupt } from "./kit.ts";
import { createReplayIndex, payloadOf } from "./replay.ts";
import type { ReplayIndex } from "./replay.ts";
import { eventsOf, planRetract } from "./resay.ts";

/** What the store knows of a run that an attempt takes up. */
export interface TakenUp {
  readonly replay: ReplayIndex;
  readonly streamHead: number;
  readonly signals: readonly RunSignal[];
}

/** Reads what is needed before the loop can be replayed. A run that was just created has nothing to read. */
export async function loadRun(store: RunStore, run: Run, fresh: boolean): Promise<TakenUp> {
  if (fresh) return { replay: createReplayIndex([]), streamHead: 0, signals: [] };
  const [records, streamHead, signals] = await Promise.all([
    store.journal(run.runId, run.segment),
    store.streamHead(run.runId),
    store.signals(run.runId),
  ]);
  return { replay: createReplayIndex(records), streamHead, signals };
}

/** The checkpoint that began a segment: the loop's state and the time. */
export function openingOf(run: Run, replay: ReplayIndex): { readonly state: Json; readonly at: number } {
  const opening = replay.at(CHECKPOINT_POSITION)?.outcome;
  if (!opening) return { state: null, at: run.createdAt };
  return { state: payloadOf(opening)["state"] ?? null, at: opening.at };
}

/** Where a segment's first record stands: no call of the loop has this position. */
export const CHECKPOINT_POSITION = "start";

/** Tells the threads how far they reach, so that a replay reads each of them once. */
export function expectThreads(threads: Threads, records: readonly JournalRecord[]): void {
  for (const { phase, payload } of records) {
    if (phase !== "done" || !isJsonObject(payload)) continue;
    const { thread, index, length } = payload;
    const end = typeof index === "number" ? index + 1 : length;
    if (typeof thread === "string" && typeof end === "number") threads.expect(thread, end);
  }
}

/**
 * What to do with a run whose last attempt died: nothing new in several attempts in a row is poison. Otherwise its
 * stream is put in order.
 */
export async function recover(kit: AttemptKit): Promise<Interrupt | null> {
  const { run, options, writer } = kit;
  const { replay } = kit.segment();
  const progressed = replay.records.some((record) => record.attempt === run.attempt - 1);
  const fruitlessAttempts = progressed ? 0 : run.fruitlessAttempts + 1;
  if (fruitlessAttempts >= options.poisonAfter) {
    const message = `The run was taken up ${fruitlessAttempts} times without getting any further.`;
    return { kind: "failed", error: new AstromeshError("run_poison", message) };
  }
  if (fruitlessAttempts !== run.fruitlessAttempts) await writer.write({ patch: { fruitlessAttempts } });
  return null;
}

/** Takes back what a dead attempt said and did not finish. */
export async function mendStream(kit: AttemptKit, head: number): Promise<void> {
  const plan = await planRetract(kit.segment().replay, head, (after) => readAll(kit, after));
  if (plan === null) return;
  kit.stream.emit({ type: "retract", to: plan.to, reason: "the run was resumed" });
  for (const spoken of plan.again) {
    for (const event of await eventsOf(spoken, kit.threads)) kit.stream.emit(event);
  }
}

const PAGE_EVENTS = 1_000;

async function readAll(kit: AttemptKit, after: number): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for (;;) {
    const page = await kit.deps.store.readStream(kit.run.runId, events.at(-1)?.offset ?? after, PAGE_EVENTS);
    events.push(...page);
    if (page.length < PAGE_EVENTS) return events;
  }
}
