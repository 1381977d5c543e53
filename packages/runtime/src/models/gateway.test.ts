import { afterEach, describe, expect, test } from "vitest";

import { manualClock } from "../../test/fakes/clock.ts";
import {
  candidate,
  createTestModels,
  hear,
  modelCall,
  never,
  providerSettings,
  textOf,
} from "../../test/fakes/models.ts";
import type { TestModels, TestModelsOptions } from "../../test/fakes/models.ts";
import type { AstromeshError, Json } from "../core/index.ts";
import type { ModelCallEvent } from "../core/ports/index.ts";

const made: TestModels[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((models) => models.stop()));
});

/** Scripted providers by name, and the rest of the models part. */
function withScripts(scripts: Readonly<Record<string, Json>>, options: TestModelsOptions = {}): TestModels {
  const providers = Object.entries(scripts).map(([name, script]) =>
    providerSettings({ name, type: "scripted", script }),
  );
  const models = createTestModels({ ...options, providers });
  made.push(models);
  return models;
}

const asks = (events: readonly ModelCallEvent[]): string[] =>
  events.flatMap((event) => (event.type === "candidate" ? [`${event.provider}: ${event.why}`] : []));

/** What an error says was tried. */
function attemptsOf(error: AstromeshError | null): readonly { readonly provider: string; readonly code: string }[] {
  return (error?.details["attempts"] ?? []) as readonly { provider: string; code: string }[];
}

const unwell = (times: number, fault: Json = { status: 503 }): Json => ({ times, fault });

async function call(models: TestModels, names: readonly string[], overrides: Parameters<typeof modelCall>[1] = {}) {
  const candidates = names.map((name) => candidate(name));
  const heard = await hear(models.gateway.call(modelCall(candidates, overrides), never));
  return {
    ...heard,
    error: heard.error as AstromeshError | null,
    text: textOf(heard.events),
    asked: asks(heard.events),
  };
}

describe("one candidate", () => {
  test("its words, and what they cost", async () => {
    const usage = { input_tokens: 1_000_000, output_tokens: 500_000 };
    const models = withScripts(
      { a: [{ reply: "hello there", usage }] },
      { prices: { fake: { inputUsdPerMillion: 2, outputUsdPerMillion: 4 } } },
    );
    const { events, text, asked } = await call(models, ["a"]);
    expect(text).toBe("hello there");
    expect(asked).toEqual(["a: the only candidate"]);
    expect(events.at(-1)).toEqual({
      type: "finish",
      reason: "stop",
      usage: { inputTokens: 1_000_000, outputTokens: 500_000, costUsd: 4 },
      provider: "a",
      model: "fake",
    });
  });

  test.each([{ status: 503 }, { status: 429 }, { garbage: true }, { break_after_tokens: 0 }])(
    "%j is asked again while nothing was said",
    async (fault) => {
      const models = withScripts({ a: [{ times: 2, reply: "hello", fault }, { reply: "hello" }] });
      const { text, asked, error } = await call(models, ["a"]);
      expect(error).toBeNull();
      expect(text).toBe("hello");
      expect(asked).toHaveLength(3);
      expect(asked[2]).toContain("repetition 2 after model_");
    },
  );

  test("is asked three times at most, and the error says what was tried", async () => {
    const models = withScripts({ a: [unwell(3), { reply: "too late" }] });
    const { error, events } = await call(models, ["a"]);
    expect(events.map((event) => event.type)).toEqual(["candidate", "candidate", "candidate"]);
    expect(error).toMatchObject({ code: "model_unavailable", retryable: true });
    expect(error?.details["attempts"]).toHaveLength(3);
    expect(error?.details["attempts"]).toContainEqual(
      expect.objectContaining({ provider: "a", model: "fake", code: "model_unavailable" }),
    );
  });

  test.each([{ status: 400 }, { silence_ms: 60_000 }])("%j is not asked again", async (fault) => {
    const models = withScripts({ a: [{ reply: "hello", fault }] });
    const candidates = [candidate("a", { timeoutMs: 20 })];
    const { events } = await hear(models.gateway.call(modelCall(candidates), never));
    expect(events).toHaveLength(1);
  });

  test("that breaks in the middle begins anew once, and its words are taken back", async () => {
    const models = withScripts({
      a: [{ times: 1, reply: "one two three", fault: { break_after_tokens: 2 } }, { reply: "four" }],
    });
    const { events, error } = await call(models, ["a"]);
    expect(error).toBeNull();
    expect(events.map((event) => (event.type === "text" ? event.text : event.type))).toEqual([
      "candidate",
      "one",
      " two",
      "retract",
      "candidate",
      "four",
      "finish",
    ]);
  });

  test("that breaks in the middle twice is given up", async () => {
    const models = withScripts({ a: [{ reply: "one two", fault: { break_after_tokens: 1 } }] });
    const { events, error } = await call(models, ["a"]);
    expect(error).toMatchObject({ code: "model_stream_broken" });
    expect(events.filter((event) => event.type === "retract")).toHaveLength(2);
  });

  test("a run has one budget of repetitions for all its calls", async () => {
    const models = withScripts({ a: [unwell(100)] }, { gateway: { retriesPerRun: 3 } });
    const attempts = async (runId: string): Promise<number> => {
      const { error } = await call(models, ["a"], { runId });
      return attemptsOf(error).filter(({ code }) => code !== "model_circuit_open").length;
    };
    expect(await attempts("run_1")).toBe(3);
    // The breaker is open now, so the budget is seen with a fresh model.
    const fresh = withScripts({ a: [unwell(1), { reply: "ok" }] }, { gateway: { retriesPerRun: 0 } });
    expect((await call(fresh, ["a"])).error).toMatchObject({ code: "model_unavailable" });
  });

  test("no candidate at all is an error that names the agent", async () => {
    const { error } = await call(withScripts({}), []);
    expect(error).toMatchObject({ code: "model_unavailable", message: "The agent tester names no model to ask." });
  });

  test("an unknown provider says which are known", async () => {
    const { error } = await call(withScripts({}), ["olama"]);
    expect(error).toMatchObject({ code: "model_rejected" });
    expect(error?.message).toContain("There is no provider olama; known are ollama, openai,");
    expect(error?.details["attempts"]).toHaveLength(1);
  });
});

describe("several candidates", () => {
  test("the next one answers when one refuses", async () => {
    const models = withScripts({ a: [{ fault: { status: 400 } }], b: [{ reply: "from b" }] });
    const { text, asked, events } = await call(models, ["a", "b"]);
    expect(text).toBe("from b");
    expect(asked).toEqual(["a: the first candidate", "b: fallback after model_rejected of a/fake"]);
    expect(events.at(-1)).toMatchObject({ type: "finish", provider: "b" });
  });

  test("a break in the middle goes to the next one, not to the same", async () => {
    const models = withScripts({
      a: [{ reply: "one two", fault: { break_after_tokens: 1 } }],
      b: [{ reply: "from b" }],
    });
    const { events } = await call(models, ["a", "b"]);
    expect(events.map((event) => (event.type === "text" ? event.text : event.type))).toEqual([
      "candidate",
      "one",
      "retract",
      "candidate",
      "from",
      " b",
      "finish",
    ]);
  });

  test("the last one's error is thrown, with all attempts", async () => {
    const models = withScripts({ a: [{ fault: { status: 400 } }], b: [{ fault: { status: 404 } }] });
    const { error } = await call(models, ["a", "b"]);
    expect(error?.message).toContain("404");
    expect(attemptsOf(error).map(({ provider }) => provider)).toEqual(["a", "b"]);
  });

  test("round_robin begins one further each time", async () => {
    const models = withScripts({ a: [{ reply: "a" }], b: [{ reply: "b" }] });
    const policy = { candidates: [candidate("a"), candidate("b")], strategy: "round_robin" as const };
    const said: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) said.push((await call(models, [], { policy })).text);
    expect(said).toEqual(["a", "b", "a", "b"]);
  });
});

describe("Retry-After", () => {
  test("is the least wait", async () => {
    const clock = manualClock();
    const models = withScripts({ a: [unwell(1, { status: 429, retry_after_ms: 3_000 }), { reply: "now" }] }, { clock });
    const seen: string[] = [];
    const done = (async () => {
      for await (const event of models.gateway.call(modelCall([candidate("a")]), never)) seen.push(event.type);
    })();
    await settle();
    clock.advance(2_999);
    await settle();
    expect(seen).toEqual(["candidate"]);
    clock.advance(1);
    await done;
    expect(seen).toEqual(["candidate", "candidate", "text", "finish"]);
  });

  test("beyond the cap is not waited for; the error hands it on", async () => {
    const models = withScripts({ a: [unwell(1, { status: 429, retry_after_ms: 60_000 }), { reply: "late" }] });
    const { error } = await call(models, ["a"]);
    expect(error).toMatchObject({ code: "model_rate_limited", retryAfterMs: 60_000, retryable: true });
  });
});

describe("the breaker", () => {
  test("opens after three failures in a row, rests a minute, lets one probe through", async () => {
    const clock = manualClock();
    const script = [unwell(3), { times: 1, reply: "well again", delay_ms: 500 }, { reply: "ok" }];
    const models = withScripts({ a: script }, { clock });
    await call(models, ["a"]);
    expect(models.breakers.worst("a")).toBe("open");

    clock.advance(59_000);
    const resting = await call(models, ["a"]);
    expect(resting.asked).toEqual([]);
    expect(resting.error).toMatchObject({ code: "model_circuit_open", retryAfterMs: 1_000 });
    expect(resting.error?.message).toContain("is rested for another 1 s. The last failure: The script answered 503");

    clock.advance(1_000);
    const probe = call(models, ["a"]);
    await settle();
    expect(models.breakers.worst("a")).toBe("half_open");
    expect((await call(models, ["a"])).error).toMatchObject({ code: "model_circuit_open" });
    clock.advance(500);
    expect((await probe).text).toBe("well again");
    expect(models.breakers.worst("a")).toBe("closed");
  });

  test("does not count refusals and limits", async () => {
    const models = withScripts({
      a: [
        { times: 3, fault: { status: 400 } },
        { times: 6, fault: { status: 429 } },
      ],
    });
    for (let turn = 0; turn < 5; turn += 1) await call(models, ["a"], { runId: `run_${turn}` });
    expect(models.breakers.worst("a")).toBe("closed");
  });

  test("is kept when a reload makes a new registry", async () => {
    const before = withScripts({ a: [unwell(3)] });
    await call(before, ["a"]);
    const after = withScripts({ a: [{ reply: "ok" }] }, { breakers: before.breakers });
    expect((await call(after, ["a"])).error).toMatchObject({ code: "model_circuit_open" });
    expect((await after.registry.check(never)).find(({ name }) => name === "a")).toMatchObject({ breaker: "open" });
  });

  test("a probe that its caller gives up leaves room for the next", async () => {
    const clock = manualClock();
    const models = withScripts({ a: [unwell(3), { times: 1, reply: "x", delay_ms: 500 }, { reply: "ok" }] }, { clock });
    await call(models, ["a"]);
    clock.advance(60_000);
    const controller = new AbortController();
    const probe = hear(models.gateway.call(modelCall([candidate("a")]), controller.signal));
    await settle();
    controller.abort(new Error("gone"));
    expect((await probe).error).toMatchObject({ message: "gone" });
    expect((await call(models, ["a"])).text).toBe("ok");
  });
});

describe("cancel", () => {
  test("ends a call that waits for its repetition", async () => {
    const models = withScripts({ a: [unwell(3, { status: 429, retry_after_ms: 5_000 })] }, { clock: manualClock() });
    const controller = new AbortController();
    const heard = hear(models.gateway.call(modelCall([candidate("a")]), controller.signal));
    await settle();
    controller.abort(new Error("cancelled"));
    expect(await heard).toMatchObject({ error: { message: "cancelled" } });
  });

  test("tries nobody else", async () => {
    const models = withScripts({ a: [{ reply: "one two", token_delay_ms: 60_000 }], b: [{ reply: "b" }] });
    const controller = new AbortController();
    const types: string[] = [];
    const listening = (async () => {
      const stream = models.gateway.call(modelCall([candidate("a"), candidate("b")]), controller.signal);
      for await (const event of stream) {
        types.push(event.type);
        if (event.type === "text") setImmediate(() => controller.abort(new Error("cancelled")));
      }
    })();
    await expect(listening).rejects.toThrow("cancelled");
    expect(types).toEqual(["candidate", "text"]);
  });

  test("a consumer that leaves frees the breaker's probe", async () => {
    const clock = manualClock();
    const models = withScripts({ a: [unwell(3), { reply: "one two" }] }, { clock });
    await call(models, ["a"]);
    clock.advance(60_000);
    for await (const event of models.gateway.call(modelCall([candidate("a")]), never)) {
      if (event.type === "text") break;
    }
    expect((await call(models, ["a"])).text).toBe("one two");
  });
});

/** Lets everything that can go on without time go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
