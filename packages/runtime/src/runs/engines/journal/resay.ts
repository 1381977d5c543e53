/**
 * What a resumed run's stream must take back and say again.
 *
 * An attempt that died may have said part of an effect that will be performed again. Its words are void: the new
 * attempt says `retract` to where they began. Effects that went on side by side may have spoken after that point and
 * be complete in the journal: they are said again, from the journal, so that the stream and the journal agree.
 */
import type { JsonObject, RunEvent, StreamEvent, ToolCall } from "../../../core/index.ts";
import type { JournalRecord } from "../../../core/ports/index.ts";
import { toolCallEvent, toolResultEvent } from "../../effects/index.ts";
import type { Threads } from "../../effects/index.ts";
import type { ReplayIndex } from "./replay.ts";
import { aboutOf, payloadOf } from "./replay.ts";

/** An effect, or the question whether it may be performed, that said something. */
interface Spoken {
  readonly from: number;
  /** The last offset that it may have used; null while its outcome is open. */
  readonly to: number | null;
  readonly about: JsonObject;
  readonly says: "answer" | "call" | "result" | "call and result";
  /** It is performed again, and then says all this itself. */
  readonly isVoid: boolean;
}

/** What to take back, and what to say again. */
export interface RetractPlan {
  readonly to: number;
  readonly again: readonly Spoken[];
}

/**
 * Finds the offset to retract to; null when nothing is void.
 *
 * @param said events of the log after an offset, in order
 */
export async function planRetract(
  replay: ReplayIndex,
  head: number,
  said: (after: number) => Promise<readonly StreamEvent[]>,
): Promise<RetractPlan | null> {
  const spoken = spokenIn(replay);
  const voids = spoken.filter(({ isVoid }) => isVoid).map(({ from }) => from);
  if (voids.length === 0) return null;
  let to = Math.min(...voids);
  if (head <= to) return null;
  const retracts = (await said(to)).flatMap(({ event }) => (event.type === "retract" ? [event.to] : []));
  for (let before = Number.POSITIVE_INFINITY; to < before;) {
    before = to;
    for (const each of spoken) if (each.from < before && (each.to ?? head) > before) to = Math.min(to, each.from);
    // What was said again after an earlier retract stands elsewhere than the journal says.
    for (const target of retracts) to = Math.min(to, target);
  }
  return { to, again: spoken.filter((each) => each.from >= to && !each.isVoid) };
}

function spokenIn(replay: ReplayIndex): Spoken[] {
  return replay.records.flatMap((record) => spokenBy(record, replay) ?? []).toSorted((a, b) => a.from - b.from);
}

/** What a record tells of words in the stream; null when it tells of none that another record does not tell of. */
function spokenBy(record: JournalRecord, replay: ReplayIndex): Spoken | null {
  const { kind, phase, position, effectClass } = record;
  const about = aboutOf(record);
  const known = replay.at(position);
  const outcome = known?.outcome ?? null;
  const to = outcome === null ? null : Number(payloadOf(outcome)["to"] ?? payloadOf(record)["from"]);
  if (phase === "intent" && kind === "signal") {
    const { from } = about;
    return typeof from === "number" ? { from, to: from + 1, about, says: "call", isVoid: false } : null;
  }
  const from = Number(payloadOf(record)["from"]);
  const isVoid = outcome === null && effectClass !== "once";
  if (phase === "intent" && kind === "model") return { from, to, about, says: "answer", isVoid };
  // A call that was refused or denied has no intent; a further try of a call says nothing.
  const isFirst = phase === "intent" ? !position.includes("/") : record === outcome && known?.intent === null;
  if (kind !== "tool" || !isFirst) return null;
  const asked = replay.at(`${position}/approval`) !== null;
  return { from, to, about, says: asked ? "result" : "call and result", isVoid };
}

/** The words of an effect, from the journal and its thread. */
export async function eventsOf({ says, about, from, to }: Spoken, threads: Threads): Promise<RunEvent[]> {
  const thread = about["thread"] as string;
  if (says === "answer") {
    const message = to === null ? null : await threads.at(thread, Number(about["length"]));
    const spoke = to !== null && to > from && message?.role === "assistant" && message.text !== "";
    return spoke ? [{ type: "token", text: message.text, thread }] : [];
  }
  const index = Number(about["index"]);
  const events: RunEvent[] = [];
  if (says !== "result") events.push(toolCallEvent(await callOf(threads, thread, index, about)));
  const message = says === "call" || to === null ? null : await threads.at(thread, index);
  if (message?.role === "tool") events.push(toolResultEvent(message));
  return events;
}

/** The call that a model asked for, from its message before the result's place. */
async function callOf(threads: Threads, thread: string, index: number, about: JsonObject): Promise<ToolCall> {
  const id = about["callId"] as string;
  const before = await threads.read(thread, 0, index);
  const asked = before.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
  return asked.findLast((call) => call.id === id) ?? { id, name: about["tool"] as string, arguments: null };
}
