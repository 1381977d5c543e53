import { describe, expect, it } from "vitest";

import type { EffectClass, Message, RunEvent, StreamEvent } from "../../../core/index.ts";
import type { JournalRecord } from "../../../core/ports/index.ts";
import { createThreads } from "../../effects/index.ts";
import { createReplayIndex } from "./replay.ts";
import { eventsOf, planRetract } from "./resay.ts";

type Said = readonly [from: number, to: number | null];

/** A journal of effects that began to speak after `from` and had finished by `to` (null: their outcome is open). */
function journal(...effects: (readonly [kind: "model" | "tool", said: Said, effectClass?: EffectClass])[]) {
  const records = effects.flatMap(([kind, [from, to], effectClass = "idempotent"], index): JournalRecord[] => {
    const common = { segment: 0, position: String(index), kind, effectClass, inputDigest: "d", attempt: 1, at: 0 };
    const about = { thread: `t${index}`, length: 0, index: 1, tool: "t", callId: "c" };
    const intent: JournalRecord = { ...common, seq: 1, phase: "intent", payload: { from, about } };
    return to === null ? [intent] : [intent, { ...common, seq: 2, phase: "done", payload: { to } }];
  });
  return createReplayIndex(records);
}

function log(...events: readonly (readonly [offset: number, event: RunEvent])[]) {
  const said = events.map(([offset, event]): StreamEvent => ({ runId: "r", attempt: 1, offset, at: 0, event }));
  return async (after: number): Promise<StreamEvent[]> => said.filter(({ offset }) => offset > after);
}

const quiet = log();

describe("what a resumed run takes back", () => {
  it("is nothing when every effect has its outcome, or nothing was said since", async () => {
    expect(await planRetract(journal(["model", [1, 5]]), 5, quiet)).toBeNull();
    expect(await planRetract(journal(["model", [5, null]]), 5, quiet)).toBeNull();
  });

  it("is what the effect said that is performed again", async () => {
    const plan = await planRetract(journal(["model", [1, 4]], ["model", [4, null]]), 9, quiet);
    expect(plan).toEqual({ to: 4, again: [] });
  });

  it("is not what a `once` effect announced: it is not performed again", async () => {
    expect(await planRetract(journal(["tool", [4, null], "once"]), 5, quiet)).toBeNull();
  });

  it("reaches back over effects that spoke at the same time, and says those again", async () => {
    // 0 spoke from 2 to 8 and is done; 1 spoke from 5 and is void; 2 was done before either.
    const plan = await planRetract(journal(["model", [2, 8]], ["model", [5, null]], ["model", [0, 2]]), 9, quiet);
    expect(plan?.to).toBe(2);
    expect(plan?.again.map(({ from }) => from)).toEqual([2]);
  });

  it("reaches back over what the dead attempt had itself taken back", async () => {
    const said = log([7, { type: "retract", to: 3, reason: "a candidate broke" }]);
    const plan = await planRetract(journal(["model", [3, 4]], ["model", [5, null]]), 9, said);
    expect(plan?.to).toBe(3);
    expect(plan?.again.map(({ from }) => from)).toEqual([3]);
  });
});

it("says effects again as they stand in the thread", async () => {
  const messages: Message[] = [
    { role: "assistant", text: "Let me see", toolCalls: [{ id: "c", name: "t", arguments: { a: 1 } }] },
    { role: "tool", toolCallId: "c", toolName: "t", ok: true, text: "seen" },
  ];
  const store = { thread: async (_run: string, _thread: string, from: number, to: number) => messages.slice(from, to) };
  const threads = createThreads(store, "r", false);
  const plan = await planRetract(journal(["model", [0, 3]], ["tool", [3, 5]], ["model", [0, null]]), 9, quiet);
  const events = await Promise.all((plan?.again ?? []).map((spoken) => eventsOf(spoken, threads)));
  expect(events.flat()).toEqual([
    { type: "token", text: "Let me see", thread: "t0" },
    { type: "tool_call", id: "c", name: "t", arguments: { a: 1 } },
    { type: "tool_result", id: "c", name: "t", ok: true, preview: "seen" },
  ]);
});
