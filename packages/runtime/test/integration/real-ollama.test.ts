import { afterAll, describe, expect, test } from "vitest";

import type { AstromeshError } from "../../src/core/index.ts";
import type { ModelCall } from "../../src/core/ports/index.ts";
import {
  candidate,
  createTestModels,
  hear,
  modelCall,
  never,
  providerSettings,
  textOf,
  toolSpec,
} from "../fakes/models.ts";

/**
 * With a real Ollama that has the tiny test models (tiny, tiny-tools, tiny-think, tiny-loop, tiny-embed): set
 * TEST_OLLAMA_URL to its address.
 */
const url = process.env["TEST_OLLAMA_URL"];

describe.skipIf(url === undefined).each(["ollama", "openai_compat"])("a real Ollama through %s", (type) => {
  const endpoint = type === "ollama" ? (url ?? "") : `${url}/v1`;
  const models = createTestModels({ providers: [providerSettings({ name: "real", type, endpoint })] });
  afterAll(models.stop);

  async function ask(model: string, overrides: Partial<ModelCall> = {}, parameters = {}) {
    const call = modelCall([candidate("real", { model, timeoutMs: 60_000, parameters })], overrides);
    const heard = await hear(models.gateway.call(call, never));
    return {
      ...heard,
      error: heard.error as AstromeshError | null,
      text: textOf(heard.events),
      last: heard.events.at(-1),
    };
  }
  const weather = toolSpec("get_weather", { city: { type: "string" } }, ["city"]);

  test("babbles, in pieces, and counts", async () => {
    const { text, last, events, error } = await ask("tiny", {}, { seed: 7, temperature: 0.8 });
    expect(error).toBeNull();
    expect(text.length).toBeGreaterThan(0);
    expect(events.length).toBeGreaterThanOrEqual(3);
    expect(last).toMatchObject({ type: "finish", reason: "stop", usage: { inputTokens: expect.any(Number) } });
  });

  test("stops at max_tokens", async () => {
    const { text, last } = await ask("tiny-loop", {}, { max_tokens: 8 });
    expect(text.trim().split(" ")).toHaveLength(8);
    expect(last).toMatchObject({ reason: "length", usage: { outputTokens: 8 } });
  });

  test("calls a tool, and goes on with its result", async () => {
    const question = { role: "user", text: "what is the weather in paris" } as const;
    const first = await ask("tiny-tools", { messages: [question], tools: [weather] });
    const calls = first.events.flatMap((event) => (event.type === "tool_call" ? [event.call] : []));
    expect(calls).toMatchObject([{ name: "get_weather", arguments: { city: "Paris" } }]);
    expect(first.last).toMatchObject({ reason: "tool_calls" });
    const messages = [
      question,
      { role: "assistant", text: "", toolCalls: calls } as const,
      { role: "tool", toolCallId: calls[0]?.id ?? "", toolName: "get_weather", ok: true, text: "18 degrees" } as const,
    ];
    const second = await ask("tiny-tools", { messages, tools: [weather] });
    expect(second.error).toBeNull();
    expect(second.last).toMatchObject({ type: "finish", reason: "stop" });
  });

  test("thinks apart from what it says", async () => {
    const { events } = await ask("tiny-think", {}, { seed: 7, temperature: 0.8 });
    const thinking = events.map((event) => (event.type === "thinking" ? event.text : "")).join("");
    expect(thinking).toBe("let me see it");
  });

  test("refuses tools where the model has none", async () => {
    const { error } = await ask("tiny", { tools: [weather] });
    expect(error).toMatchObject({ code: "model_rejected" });
    expect(error?.message).toContain("does not support tools");
  });

  test("does not have every model", async () => {
    expect((await ask("nobody")).error).toMatchObject({ code: "model_not_found" });
  });

  test("stops an endless answer when nobody wants it any more", async () => {
    const controller = new AbortController();
    const call = modelCall([candidate("real", { model: "tiny-loop", timeoutMs: 60_000 })]);
    let pieces = 0;
    const listening = (async () => {
      for await (const event of models.gateway.call(call, controller.signal)) {
        if (event.type === "text" && (pieces += 1) === 20) controller.abort(new Error("enough"));
      }
    })();
    await expect(listening).rejects.toThrow("enough");
    // The model's only slot is free again: another question is answered.
    expect((await ask("tiny-loop", {}, { max_tokens: 2 })).error).toBeNull();
  });

  test("is listed with its models", async () => {
    const status = (await models.registry.check(never)).find(({ name }) => name === "real");
    expect(status).toMatchObject({ ok: true, models: expect.arrayContaining(["tiny:latest", "tiny-tools:latest"]) });
  });
});
