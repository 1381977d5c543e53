import { afterEach, describe, expect, test } from "vitest";

import { candidate, createTestModels, hear, modelCall, never, providerSettings, textOf } from "../models.ts";
import { spawnFakeProvider, startFakeProvider } from "./index.ts";
import type { FakeProvider } from "./index.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function started(start: () => Promise<FakeProvider>): Promise<FakeProvider> {
  const fake = await start();
  stops.push(fake.stop);
  return fake;
}

const post = async (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: "POST", body: JSON.stringify(body) });
const hello = { model: "m", messages: [{ role: "user", content: "hello" }] };

describe.each([
  ["in this process", () => startFakeProvider()],
  ["in a process of its own", () => spawnFakeProvider()],
])("a fake provider %s", (_, start) => {
  test("answers both protocols, streamed or not", async () => {
    const fake = await started(start);
    await fake.script([{ reply: "Hello {user}", usage: { input_tokens: 3, output_tokens: 2 } }]);
    const ollama = await (await post(`${fake.ollamaUrl}/api/chat`, { ...hello, stream: false })).json();
    expect(ollama).toMatchObject({ message: { content: "Hello hello" }, done: true, prompt_eval_count: 3 });
    const openAi = await (await post(`${fake.openAiUrl}/chat/completions`, hello)).json();
    expect(openAi).toMatchObject({ choices: [{ message: { content: "Hello hello" } }], usage: { total_tokens: 5 } });
    const lines = await (await post(`${fake.ollamaUrl}/api/chat`, hello)).text();
    expect(lines.trim().split("\n")).toHaveLength(3);
    const events = await (await post(`${fake.openAiUrl}/chat/completions`, { ...hello, stream: true })).text();
    expect(events).toMatch(/data: \[DONE\]\n\n$/);
    expect(await fake.count()).toBe(4);
    expect((await fake.requests()).map(({ protocol }) => protocol)).toEqual(["ollama", "openai", "ollama", "openai"]);
  });

  test("holds an answer at a boundary until it may go on", async () => {
    const fake = await started(start);
    await fake.script([{ reply: "one two three" }]);
    await fake.hold("token:1");
    await fake.hold("end");
    const models = createTestModels({
      providers: [providerSettings({ name: "fake", type: "ollama", endpoint: fake.ollamaUrl })],
    });
    stops.push(models.stop);
    const listen = () => hear(models.gateway.call(modelCall([candidate("fake")]), never));
    const [first, second] = [listen(), listen()];
    await fake.reached("token:1", 2);
    await fake.step("token:1");
    await fake.reached("end");
    await fake.release("token:1");
    await fake.reached("end", 2);
    await fake.release("end");
    expect([textOf((await first).events), textOf((await second).events)]).toEqual(["one two three", "one two three"]);
  });

  test("refuses connections while it is down, on the same port", async () => {
    const fake = await started(start);
    await fake.down();
    await expect(post(`${fake.ollamaUrl}/api/chat`, hello)).rejects.toThrow("fetch failed");
    await fake.up();
    expect((await post(`${fake.ollamaUrl}/api/chat`, hello)).status).toBe(200);
  });

  test("tells who came twice, and who left", async () => {
    const fake = await started(start);
    const headers = { "idempotency-key": "k1" };
    const ask = (signal?: AbortSignal) =>
      fetch(`${fake.ollamaUrl}/api/chat`, {
        method: "POST",
        headers,
        body: JSON.stringify(hello),
        ...(signal === undefined ? {} : { signal }),
      });
    await (await ask()).text();
    expect(await fake.repeated()).toEqual([]);
    await fake.hold("request");
    const leaving = new AbortController();
    const left = ask(leaving.signal);
    await fake.reached("request");
    leaving.abort();
    await expect(left).rejects.toThrow("aborted");
    await fake.left(1);
    expect(await fake.repeated()).toEqual(["k1"]);
    expect((await fake.requests()).map(({ state }) => state)).toEqual(["answered", "left"]);
    await fake.reset();
    expect(await fake.count()).toBe(0);
  });
});

test("a script with faults is refused", async () => {
  const fake = await started(() => startFakeProvider());
  await expect(fake.script([{ replay: "x" }])).rejects.toThrow("unknown key");
});

test("what no rule matches is refused", async () => {
  const fake = await started(() => startFakeProvider());
  await fake.script([{ match: "weather", reply: "rain" }]);
  expect((await post(`${fake.ollamaUrl}/api/chat`, hello)).status).toBe(400);
  expect((await post(`${fake.ollamaUrl}/nothing`, hello)).status).toBe(404);
});

test("tool results of both protocols are told apart by their tool", async () => {
  const fake = await started(() => startFakeProvider());
  await fake.script([
    { match: { tool: "none" }, tool_calls: [{ name: "get_weather", arguments: { city: "Paris" } }] },
    { match: { tool: "get_weather", tool_results: 1 }, reply: "It is {tool_result}." },
  ]);
  const models = createTestModels({
    providers: [
      providerSettings({ name: "a", type: "ollama", endpoint: fake.ollamaUrl }),
      providerSettings({ name: "b", type: "vllm", endpoint: fake.openAiUrl }),
    ],
  });
  stops.push(models.stop);
  for (const name of ["a", "b"]) {
    const question = { role: "user", text: "weather?" } as const;
    const first = await hear(models.gateway.call(modelCall([candidate(name)], { messages: [question] }), never));
    const calls = first.events.flatMap((event) => (event.type === "tool_call" ? [event.call] : []));
    expect(calls).toMatchObject([{ name: "get_weather", arguments: { city: "Paris" } }]);
    const messages = [
      question,
      { role: "assistant", text: "", toolCalls: calls } as const,
      { role: "tool", toolCallId: calls[0]?.id ?? "", toolName: "get_weather", ok: true, text: "raining" } as const,
    ];
    const second = await hear(models.gateway.call(modelCall([candidate(name)], { messages }), never));
    expect(textOf(second.events)).toBe("It is raining.");
  }
});
