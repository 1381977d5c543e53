import { describe, expect, test } from "vitest";

import { hear, never, providerRequest, textOf, toolSpec } from "../../../test/fakes/models.ts";
import type { Message } from "../../core/index.ts";
import { createOfflineProvider } from "./offline.ts";

const calculator = toolSpec("calculator", { expression: { type: "string" } }, ["expression"]);
const clock = toolSpec("datetime_now", { timezone: { type: "string" } });
const provider = createOfflineProvider({ newCallId: () => "call_1" });

async function ask(text: string, tools = [calculator, clock], more: readonly Message[] = []) {
  const messages: readonly Message[] = [{ role: "system", text: "Be kind." }, { role: "user", text }, ...more];
  const { events } = await hear(provider.stream(providerRequest({ messages, tools }), never));
  const calls = events.flatMap((event) =>
    event.type === "tool_call" ? [[event.call.name, event.call.arguments]] : [],
  );
  return { events, calls, text: textOf(events), last: events.at(-1) };
}

describe("the offline model", () => {
  test("says that it is none, what it heard, and how to get more", async () => {
    const { text, events, last } = await ask("Write me a poem");
    expect(text).toContain("no language model");
    expect(text).toContain("“Write me a poem”");
    expect(text).toContain("OPENAI_API_KEY");
    expect(events.length).toBeGreaterThan(20);
    expect(last).toMatchObject({ type: "finish", reason: "stop", usage: { inputTokens: 6 } });
  });

  test.each([
    ["What is 2 + 2?", "2 + 2"],
    ["compute (3+4)*5 - 2^3 please", "(3+4)*5 - 2^3"],
    ["12 × 3.5", "12 * 3.5"],
    ["10/4", "10/4"],
  ])("gives %s to the calculator", async (question, expression) => {
    const { calls, last } = await ask(question);
    expect(calls).toEqual([["calculator", { expression }]]);
    expect(last).toMatchObject({ reason: "tool_calls" });
  });

  test.each(["Call me at 555 1234", "I am 42", "version 1.2.3", ""])("finds no sum in: %s", async (question) => {
    expect((await ask(question)).calls).toEqual([]);
  });

  test.each(["What time is it?", "which day is it today", "What's today's date?", "Tell me the current hour"])(
    "asks the clock: %s",
    async (question) => {
      expect((await ask(question)).calls).toEqual([["datetime_now", {}]]);
    },
  );

  test("asks two tools at once, and only those that are offered", async () => {
    expect((await ask("What is 6*7, and what time is it?")).calls.map(([name]) => name)).toEqual([
      "calculator",
      "datetime_now",
    ]);
    expect((await ask("What is 6*7, and what time is it?", [])).calls).toEqual([]);
  });

  test("calls a tool by order", async () => {
    expect((await ask('call datetime_now {"timezone": "UTC"}')).calls).toEqual([["datetime_now", { timezone: "UTC" }]]);
    expect((await ask("call unknown_tool {}")).calls).toEqual([]);
    expect((await ask("call datetime_now {broken}")).calls).toEqual([]);
  });

  test("tells what the tools said, good or bad", async () => {
    const results: readonly Message[] = [
      { role: "assistant", text: "", toolCalls: [] },
      { role: "tool", toolCallId: "1", toolName: "calculator", ok: true, text: "4" },
      { role: "tool", toolCallId: "2", toolName: "datetime_now", ok: false, text: "no such zone" },
    ];
    const { text, calls } = await ask("What is 2+2, and the time?", [calculator, clock], results);
    expect(text).toContain("calculator says: 4\ndatetime_now failed: no such zone");
    expect(text).toContain("no language model");
    expect(calls).toEqual([]);
  });

  test("says the same for the same", async () => {
    expect((await ask("hello")).events).toEqual((await ask("hello")).events);
  });
});
