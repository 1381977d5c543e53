import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { agentDefinition, manualClock, memoryConversations, toolCall } from "../../test/fakes/index.ts";
import type { AgentDefinition, ConversationalMemory, Message } from "../core/index.ts";
import { createSessionMemory, repairToolCalls } from "./index.ts";
import { MAX_MESSAGE_CHARS } from "./keep.ts";

const key = { agent: "helper", principalId: "local", sessionId: "ses_1" };

function remembering(parts: Partial<ConversationalMemory> = {}): AgentDefinition {
  const conversational = {
    backend: "sqlite",
    strategy: "sliding_window",
    maxTurns: 2,
    tokenBudget: 10,
    ttlMs: null,
    ...parts,
  } as const;
  return agentDefinition({ memory: { conversational, episodic: null, semantic: null } });
}

function exchange(question: string, answer: string): readonly Message[] {
  return [
    { role: "user", text: question },
    { role: "assistant", text: answer },
  ];
}

function setUp() {
  const clock = manualClock(1_000);
  const store = memoryConversations();
  const memory = createSessionMemory({ store, clock });
  const keep = async (definition: AgentDefinition, runId: string, messages: readonly Message[]): Promise<void> => {
    const turn = memory.kept(definition, { runId, at: clock.now(), messages });
    if (turn !== null) await store.remember(key, turn);
  };
  const recalled = async (definition: AgentDefinition): Promise<readonly string[]> =>
    (await memory.recall(definition, key)).map((message) => message.text);
  return { clock, memory, keep, recalled };
}

describe("strategies", () => {
  it("sliding_window gives the newest turns, oldest first; summary works the same in this release", async () => {
    const { keep, recalled } = setUp();
    for (const n of [1, 2, 3]) await keep(remembering(), `run_${n}`, exchange(`q${n}`, `a${n}`));
    expect(await recalled(remembering())).toEqual(["q2", "a2", "q3", "a3"]);
    expect(await recalled(remembering({ strategy: "summary" }))).toEqual(["q2", "a2", "q3", "a3"]);
  });

  it("token_budget takes whole turns from the newest while they fit", async () => {
    const { keep, recalled } = setUp();
    for (const n of [1, 2, 3]) await keep(remembering(), `run_${n}`, exchange("x".repeat(8), "y".repeat(8)));
    expect(await recalled(remembering({ strategy: "token_budget", tokenBudget: 11 }))).toHaveLength(4);
    expect(await recalled(remembering({ strategy: "token_budget", tokenBudget: 3 }))).toEqual([]);
  });

  it("forgets turns older than the time to live", async () => {
    const { clock, keep, recalled } = setUp();
    await keep(remembering(), "run_1", exchange("old", "old"));
    clock.advance(5_000);
    await keep(remembering(), "run_2", exchange("new", "new"));
    expect(await recalled(remembering({ ttlMs: 4_000 }))).toEqual(["new", "new"]);
  });

  it("does nothing for an agent without conversational memory", async () => {
    const { memory, keep } = setUp();
    await keep(agentDefinition(), "run_1", exchange("q", "a"));
    expect(await memory.recall(agentDefinition(), key)).toEqual([]);
    expect(await memory.history(key, 10)).toEqual([]);
  });
});

describe("what is kept", () => {
  it("keeps a run once, drops system prompts, thinking and image data, and says so", async () => {
    const { memory, keep } = setUp();
    const messages: Message[] = [
      { role: "system", text: "secret prompt" },
      {
        role: "user",
        text: "look",
        images: [
          { mediaType: "image/png", source: { data: "AAAA" } },
          { mediaType: "image/png", source: { url: "https://x.test/a.png" } },
        ],
      },
      { role: "assistant", text: "a cat", thinking: "hmm" },
    ];
    await keep(remembering(), "run_1", messages);
    await keep(remembering(), "run_1", messages);
    expect((await memory.history(key, 10)).map((turn) => turn.messages)).toEqual([
      [
        {
          role: "user",
          text: "look\n[an image was attached]",
          images: [{ mediaType: "image/png", source: { url: "https://x.test/a.png" } }],
        },
        { role: "assistant", text: "a cat" },
      ],
    ]);
    expect(await memory.clear(key)).toBe(1);
  });

  it("shortens long messages, and keeps only question and answer of a turn that is too large", async () => {
    const { memory, keep } = setUp();
    const long = "z".repeat(MAX_MESSAGE_CHARS + 7);
    const calls = Array.from({ length: 6 }, (_, n) => toolCall(`c${n}`, "read_file"));
    const results: Message[] = calls.map(({ id, name }) => ({
      role: "tool",
      toolCallId: id,
      toolName: name,
      ok: true,
      text: long,
    }));
    await keep(remembering(), "run_1", [
      { role: "user", text: long },
      { role: "assistant", text: "", toolCalls: calls },
      ...results,
      { role: "assistant", text: "done" },
    ]);
    const [turn] = await memory.history(key, 10);
    expect(turn?.messages.map((message) => message.role)).toEqual(["user", "assistant"]);
    expect(turn?.messages[0]?.text).toMatch(/z\n\[7 characters not kept\]$/);
    expect(turn?.messages[1]?.text).toBe("done");
  });
});

describe("repair of tool calls", () => {
  it("recalls no call without its result", async () => {
    const { memory, keep } = setUp();
    await keep(remembering(), "run_1", [
      { role: "user", text: "q" },
      { role: "assistant", text: "", toolCalls: [toolCall("a", "t"), toolCall("b", "t")] },
      { role: "tool", toolCallId: "b", toolName: "t", ok: true, text: "B" },
      { role: "tool", toolCallId: "zz", toolName: "t", ok: true, text: "nobody asked" },
    ]);
    expect((await memory.recall(remembering(), key)).slice(2)).toEqual([
      { role: "tool", toolCallId: "a", toolName: "t", ok: false, text: "The result of this call was not kept." },
      { role: "tool", toolCallId: "b", toolName: "t", ok: true, text: "B" },
    ]);
  });

  it("pairs every call with one result, whatever the messages", () => {
    const id = fc.constantFrom("a", "b", "c");
    const message: fc.Arbitrary<Message> = fc.oneof(
      fc.constant<Message>({ role: "user", text: "u" }),
      fc
        .uniqueArray(id)
        .map((ids): Message => ({ role: "assistant", text: "", toolCalls: ids.map((id) => toolCall(id, "t")) })),
      id.map((toolCallId): Message => ({ role: "tool", toolCallId, toolName: "t", ok: true, text: "r" })),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const repaired = repairToolCalls(messages);
        const open: string[] = [];
        for (const message of repaired) {
          if (message.role === "tool") expect(message.toolCallId).toBe(open.shift());
          else expect(open).toEqual([]);
          if (message.role === "assistant") open.push(...(message.toolCalls ?? []).map((call) => call.id));
        }
        expect(open).toEqual([]);
        expect(repaired.filter((message) => message.role !== "tool")).toEqual(
          messages.filter((message) => message.role !== "tool"),
        );
        expect(repairToolCalls(repaired)).toEqual(repaired);
      }),
    );
  });
});
