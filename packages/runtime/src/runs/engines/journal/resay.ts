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

/** An effect that said something. */
interface Spoken {
  readonly from: number;
  /** The last offset that it may have used; null while its outcome is open. */
  readonly to: number | null;
  readonly intent: JournalRecord;
  readonly outcome: JournalRecord | null;
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
  const isVoid = ({ intent, outcome }: Spoken): boolean => outcome === null && intent.effectClass !== "once";
  const voids = spoken.filter(isVoid).map(({ from }) => from);
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
  return { to, again: spoken.filter((each) => each.from >= to && !isVoid(each)) };
}

function spokenIn(replay: ReplayIndex): Spoken[] {
  return replay.records
    .filter(({ phase, kind }) => phase === "intent" && (kind === "model" || kind === "tool"))
    .map((intent) => {
      const outcome = replay.at(intent.position)?.outcome ?? null;
      const to = outcome === null ? null : Number(payloadOf(outcome)["to"] ?? payloadOf(intent)["from"]);
      return { from: Number(payloadOf(intent)["from"]), to, intent, outcome };
    })
    .toSorted((a, b) => a.from - b.from);
}

/** The events of an effect, from the journal and its thread. */
export async function eventsOf({ intent, outcome, from, to }: Spoken, threads: Threads): Promise<RunEvent[]> {
  const about = aboutOf(intent);
  const thread = String(about["thread"]);
  const index = Number(intent.kind === "model" ? about["length"] : about["index"]);
  const message = outcome === null ? null : await threads.at(thread, index);
  if (intent.kind === "model") {
    const spoke = to !== null && to > from && message?.role === "assistant" && message.text !== "";
    return spoke ? [{ type: "token", text: message.text, thread }] : [];
  }
  const call = await callOf(threads, thread, index, about);
  return [toolCallEvent(call), ...(message?.role === "tool" ? [toolResultEvent(message)] : [])];
}

/** The call that a model asked for, from its message before the result's place. */
async function callOf(threads: Threads, thread: string, index: number, about: JsonObject): Promise<ToolCall> {
  const id = String(about["callId"]);
  const before = await threads.read(thread, 0, index);
  const asked = before.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
  return asked.findLast((call) => call.id === id) ?? { id, name: String(about["tool"]), arguments: null };
}
