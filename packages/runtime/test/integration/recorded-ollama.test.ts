import { afterEach, describe, expect, test } from "vitest";

import type { AstromeshError } from "../../src/core/index.ts";
import type { ProviderRequest } from "../../src/core/ports/index.ts";
import {
  candidate,
  createTestModels,
  hear,
  never,
  providerRequest,
  providerSettings,
  textOf,
} from "../fakes/models.ts";
import { startReplayServer } from "../fakes/replay-server.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const recording = (name: string): URL => new URL(`../fixtures/ollama/${name}.response`, import.meta.url);

async function play(type: "ollama" | "openai_compat", routes: Readonly<Record<string, string>>, pieces: number | null) {
  const files = Object.fromEntries(Object.entries(routes).map(([route, name]) => [route, recording(name)]));
  const server = await startReplayServer(files, pieces);
  const endpoint = type === "ollama" ? server.url : `${server.url}/v1`;
  const models = createTestModels({ providers: [providerSettings({ name: "recorded", type, endpoint })] });
  stops.push(server.stop, models.stop);
  return models;
}

async function ask(name: string, request: Partial<ProviderRequest> = {}, pieces: number | null = null) {
  const type = name.startsWith("v1-") ? "openai_compat" : "ollama";
  const route = type === "ollama" ? "POST /api/chat" : "POST /v1/chat/completions";
  const models = await play(type, { [route]: name }, pieces);
  const { provider } = await models.registry.resolve(candidate("recorded"), never);
  const heard = await hear(provider.stream(providerRequest({ model: "tiny", ...request }), never));
  return {
    ...heard,
    error: heard.error as AstromeshError | null,
    text: textOf(heard.events),
    last: heard.events.at(-1),
  };
}

describe("a real Ollama, recorded: /api/chat", () => {
  test("text in pieces, and the counts of the last line", async () => {
    const { events, text, last, error } = await ask("chat-stream");
    expect(error).toBeNull();
    expect(text).toBe(
      " when if token more would their question blue green there him find word this london file paris on she london time this has made word did step sun could",
    );
    expect(events).toHaveLength(30);
    expect(last).toEqual({ type: "finish", reason: "stop", usage: { inputTokens: 6, outputTokens: 30 } });
  });

  test.each([1, 7, 1_000])("the same in writes of %i bytes", async (pieces) => {
    const whole = await ask("chat-stream");
    expect((await ask("chat-stream", {}, pieces)).events).toEqual(whole.events);
  });

  test("an answer cut by num_predict", async () => {
    const { text, last } = await ask("chat-stream-length");
    expect(text).toBe(" tick tock tick tock tick tock tick tock");
    expect(last).toMatchObject({ reason: "length" });
  });

  test("a tool call: its end says stop, and we say tool_calls", async () => {
    const { events, last } = await ask("tools-call-stream");
    expect(events[0]).toEqual({
      type: "tool_call",
      call: { id: expect.stringMatching(/^call_/), name: "get_weather", arguments: { city: "Paris" } },
    });
    expect(last).toMatchObject({ type: "finish", reason: "tool_calls" });
  });

  test("a call of a tool that was not offered is text", async () => {
    const { text, last } = await ask("tools-call-of-unknown-tool");
    expect(text).toContain('"name": "get_weather"');
    expect(last).toMatchObject({ reason: "stop" });
  });

  test("the answer after a tool's result", async () => {
    expect((await ask("tools-answer")).last).toEqual({
      type: "finish",
      reason: "stop",
      usage: { inputTokens: 284, outputTokens: 50 },
    });
  });

  test.each(["think-stream", "think-unset"])("%s: thinking is not text", async (name) => {
    const { events, text } = await ask(name);
    const thinking = events.map((event) => (event.type === "thinking" ? event.text : "")).join("");
    expect({ thinking, text }).toEqual({ thinking: "let me see it", text: "Well," });
  });

  test("a model that dies in mid-answer", async () => {
    const { events, error } = await ask("crash-stream");
    expect(events.length).toBeGreaterThan(100);
    expect(events.every((event) => event.type === "text")).toBe(true);
    expect(error).toMatchObject({ code: "model_stream_broken", retryable: true });
    expect(error?.message).toContain("unexpected EOF");
  });

  test.each([
    ["crash", "model_unavailable", "unexpected EOF"],
    ["error-busy", "model_unavailable", "server busy, please try again"],
    ["error-unknown-model", "model_not_found", "ollama pull tiny"],
    ["error-tools-unsupported", "model_rejected", "tiny:latest does not support tools: choose a model that can"],
    ["error-think-unsupported", "model_rejected", "does not support thinking: leave out the parameter"],
    ["error-chat-with-embed-model", "model_rejected", "does not support chat"],
    ["error-bad-option", "model_rejected", 'option "temperature" must be of type float32'],
    ["error-wrong-type", "model_rejected", "cannot unmarshal string"],
    ["error-not-found", "model_rejected", "is the endpoint right?"],
    ["error-origin", "model_auth", "answered 403"],
  ])("%s is %s, and says what to do", async (name, code, words) => {
    const { events, error } = await ask(name);
    expect(events).toEqual([]);
    expect(error).toMatchObject({ code });
    expect(error?.message).toContain(words);
  });

  test("its version, its models, and the one that it would chat with", async () => {
    const routes = { "GET /api/version": "version", "GET /api/tags": "tags", "POST /api/show": "show-tools" };
    const models = await play("ollama", routes, null);
    const [status] = await models.registry.check(never);
    expect(status).toMatchObject({ name: "recorded", ok: true, message: "Ollama 0.17.4, 5 models", breaker: "closed" });
    expect(status?.models).toContain("tiny-tools:latest");
    expect(await models.registry.resolve(candidate("recorded", { model: "default" }), never)).toMatchObject({
      model: "tiny:latest",
    });
  });

  test("models that only embed are not chosen", async () => {
    const models = await play("ollama", { "GET /api/tags": "tags", "POST /api/show": "show-embed" }, null);
    await expect(models.registry.resolve(candidate("recorded", { model: "default" }), never)).rejects.toMatchObject({
      code: "model_not_found",
    });
  });
});

describe("a real Ollama, recorded: /v1/chat/completions", () => {
  test("text and usage", async () => {
    const { text, last } = await ask("v1-chat-stream-usage");
    expect(text).toMatch(/ which tool$/);
    expect(last).toEqual({ type: "finish", reason: "stop", usage: { inputTokens: 6, outputTokens: 29 } });
  });

  test.each([1, 7, 1_000])("the same in writes of %i bytes", async (pieces) => {
    const whole = await ask("v1-chat-stream-usage");
    expect((await ask("v1-chat-stream-usage", {}, pieces)).events).toEqual(whole.events);
  });

  test("without usage nothing is made up", async () => {
    expect((await ask("v1-chat-stream")).last).toEqual({ type: "finish", reason: "stop", usage: null });
  });

  test("a tool call", async () => {
    const { events, last } = await ask("v1-chat-tools-stream");
    expect(events[0]).toMatchObject({ type: "tool_call", call: { name: "get_weather", arguments: { city: "Paris" } } });
    expect(last).toMatchObject({ reason: "tool_calls" });
  });

  test("thinking is not text", async () => {
    const { events, text } = await ask("v1-chat-reasoning-stream");
    expect(events.slice(0, 2)).toEqual([
      { type: "thinking", text: "let me" },
      { type: "thinking", text: " see it" },
    ]);
    expect(text).toBe("Well, rain");
  });

  test("a model that dies in mid-answer: no finish_reason, no [DONE], no error", async () => {
    const { events, error } = await ask("v1-crash-stream");
    expect(events.length).toBeGreaterThan(50);
    expect(error).toMatchObject({ code: "model_stream_broken" });
  });

  test.each([
    ["v1-error-unknown-model", "model_not_found", "model 'nobody' not found"],
    ["v1-error-tools-unsupported", "model_rejected", "does not support tools"],
    ["v1-error-busy", "model_unavailable", "server busy"],
  ])("%s is %s", async (name, code, words) => {
    const { error } = await ask(name);
    expect(error).toMatchObject({ code });
    expect(error?.message).toContain(words);
  });

  test("its models", async () => {
    const models = await play("openai_compat", { "GET /v1/models": "v1-models" }, null);
    expect((await models.registry.check(never))[0]).toMatchObject({
      ok: true,
      models: expect.arrayContaining(["tiny:latest"]),
    });
  });
});
