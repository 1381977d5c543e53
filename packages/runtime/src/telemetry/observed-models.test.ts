import { describe, expect, test } from "vitest";

import { AstromeshError } from "../core/index.ts";
import type { ModelCall, ModelCallEvent } from "../core/ports/index.ts";
import { createMeters, observeModels } from "./index.ts";

const CALL: ModelCall = {
  policy: {
    strategy: "quality_first",
    candidates: [
      { provider: "ollama", model: "big", endpoint: null, apiKey: null, timeoutMs: 1_000, parameters: {} },
      { provider: "openai", model: "small", endpoint: null, apiKey: null, timeoutMs: 1_000, parameters: {} },
    ],
  },
  messages: [],
  tools: [],
  outputSchema: null,
  idempotencyKey: "k",
  traceparent: null,
  agent: "default",
  runId: "run_1",
};

function steppingClock(stepMs: number) {
  let nowMs = 0;
  return { monotonic: () => (nowMs += stepMs) };
}

async function readAll(events: AsyncIterable<ModelCallEvent>): Promise<ModelCallEvent[]> {
  const all: ModelCallEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("observeModels", () => {
  test("passes every event on, and times the broken candidate and its fallback apart", async () => {
    const meters = createMeters();
    const { metrics } = meters;
    const events: ModelCallEvent[] = [
      { type: "candidate", provider: "ollama", model: "big", why: "first" },
      { type: "text", text: "he" },
      { type: "retract", reason: "broken" },
      { type: "candidate", provider: "openai", model: "small", why: "fallback" },
      { type: "text", text: "hello" },
      {
        type: "finish",
        reason: "stop",
        usage: { inputTokens: 3, outputTokens: 2, costUsd: 0.5 },
        provider: "openai",
        model: "small",
      },
    ];
    const gateway = {
      async *call() {
        yield* events;
      },
    };
    const observed = observeModels(gateway, { metrics, clock: steppingClock(100) });
    expect(await readAll(observed.call(CALL, new AbortController().signal))).toEqual(events);

    const text = await meters.render();
    const big = 'gen_ai_operation_name="chat",gen_ai_provider_name="ollama",gen_ai_request_model="big"';
    const small = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="small"';
    expect(text).toContain(
      `gen_ai_client_operation_duration_seconds_count{${big},error_type="model_stream_broken"} 1\n`,
    );
    expect(text).toContain(`gen_ai_client_operation_duration_seconds_sum{${small},error_type=""} 0.2\n`);
    expect(text).toContain(`gen_ai_client_operation_time_to_first_chunk_seconds_sum{${small}} 0.1\n`);
    expect(text).toContain(`gen_ai_client_token_usage_sum{${small},gen_ai_token_type="output"} 2\n`);
    expect(text).toContain(
      'astromesh_model_cost_usd_total{gen_ai_provider_name="openai",gen_ai_request_model="small"} 0.5\n',
    );
  });

  test("counts a failure under its code and throws it on", async () => {
    const meters = createMeters();
    const { metrics } = meters;
    const failure = new AstromeshError("model_timeout", "silent");
    const gateway = {
      async *call(): AsyncGenerator<ModelCallEvent> {
        yield { type: "candidate", provider: "ollama", model: "big", why: "first" };
        throw failure;
      },
    };
    const observed = observeModels(gateway, { metrics, clock: steppingClock(1) });
    await expect(readAll(observed.call(CALL, new AbortController().signal))).rejects.toBe(failure);
    expect(await meters.render()).toContain('gen_ai_request_model="big",error_type="model_timeout"} 1\n');
  });
});
