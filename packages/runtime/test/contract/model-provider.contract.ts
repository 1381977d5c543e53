import { describe, expect, test } from "vitest";

import type { Json } from "../../src/core/index.ts";
import type { ModelProvider } from "../../src/core/ports/index.ts";
import { hear, never, providerRequest, textOf } from "../fakes/models.ts";

/** A provider under test. */
export interface ProviderUnderTest {
  readonly provider: ModelProvider;
  /** How many answers it was asked for. */
  readonly asked: () => Promise<number>;
  /** Resolves when its server has noticed that the client left; null where there is no server. */
  readonly left: (() => Promise<void>) | null;
  /** Stops its server, so that nobody answers; null where there is none. */
  readonly down: (() => Promise<void>) | null;
}

/**
 * What every ModelProvider holds, whatever is behind it.
 *
 * @param answering makes a provider that answers by a script (see src/models/script.ts)
 */
export function modelProviderContract(name: string, answering: (script: Json) => Promise<ProviderUnderTest>): void {
  describe(`${name} holds the contract of ModelProvider`, () => {
    test("text comes in pieces, then one finish with the usage", async () => {
      const { provider } = await answering([
        { reply: "The quick brown fox", usage: { input_tokens: 7, output_tokens: 4 } },
      ]);
      const { events, error } = await hear(provider.stream(providerRequest(), never));
      expect(error).toBeNull();
      expect(events.slice(0, -1)).toEqual(["The", " quick", " brown", " fox"].map((text) => ({ type: "text", text })));
      expect(events.at(-1)).toEqual({
        type: "finish",
        reason: "stop",
        usage: { inputTokens: 7, outputTokens: 4 },
      });
    });

    test("thinking is told apart from text", async () => {
      const { provider } = await answering([{ thinking: "Hm.", reply: "Yes." }]);
      const { events } = await hear(provider.stream(providerRequest(), never));
      expect(events.slice(0, 2)).toEqual([
        { type: "thinking", text: "Hm." },
        { type: "text", text: "Yes." },
      ]);
    });

    test("text and several tool calls in one answer", async () => {
      const { provider } = await answering([
        { reply: "Let me look.", tool_calls: [{ name: "a", arguments: { x: 1 } }, { name: "b" }] },
      ]);
      const { events } = await hear(provider.stream(providerRequest(), never));
      expect(textOf(events)).toBe("Let me look.");
      const calls = events.filter((event) => event.type === "tool_call").map(({ call }) => call);
      expect(calls).toMatchObject([
        { name: "a", arguments: { x: 1 } },
        { name: "b", arguments: {} },
      ]);
      expect(new Set(calls.map((call) => call.id)).size).toBe(2);
      expect(events.at(-1)).toMatchObject({ type: "finish", reason: "tool_calls" });
    });

    test("arguments that are no JSON object are kept as they were written", async () => {
      const { provider } = await answering([{ tool_calls: [{ name: "a", arguments: '{"x": ' }] }]);
      const { events } = await hear(provider.stream(providerRequest(), never));
      expect(events[0]).toMatchObject({ call: { name: "a", arguments: null, rawArguments: '{"x": ' } });
    });

    test("an answer of 200 KB comes whole", async () => {
      const reply = "word ".repeat(40_000).trim();
      const { provider } = await answering([{ reply }]);
      const { events, error } = await hear(provider.stream(providerRequest(), never));
      expect(error).toBeNull();
      expect(textOf(events)).toBe(reply);
    });

    test.each([
      [{ status: 429, retry_after_ms: 1_500 }, "model_rate_limited", { retryAfterMs: 1_500, retryable: true }],
      [{ status: 500 }, "model_unavailable", { retryable: true }],
      [{ status: 503 }, "model_unavailable", { retryable: true }],
      [{ status: 400 }, "model_rejected", { retryable: false }],
      [{ break_after_tokens: 0 }, /model_unavailable|model_stream_broken/, { retryable: true }],
      [{ break_after_tokens: 2 }, "model_stream_broken", { retryable: true }],
      [{ no_end: true }, "model_stream_broken", { retryable: true }],
      [{ garbage: true }, "model_bad_response", { retryable: true }],
    ])("%j is told as %s, and not repeated", async (fault, code, rest) => {
      const { provider, asked } = await answering([{ reply: "one two three", fault }]);
      const { events, error } = await hear(provider.stream(providerRequest(), never));
      expect(error).toMatchObject(rest);
      expect((error as { code: string }).code).toMatch(code);
      expect(events.some((event) => event.type === "finish")).toBe(false);
      if ("break_after_tokens" in fault) expect(events).toHaveLength(fault.break_after_tokens);
      expect(await asked()).toBe(1);
    });

    test.each([0, 2])("silence after %i tokens is a timeout", async (after) => {
      const fault = { silence_ms: 3_600_000, after_tokens: after };
      const { provider } = await answering([{ reply: "one two three", fault }]);
      const { events, error } = await hear(provider.stream(providerRequest({ timeoutMs: 60 }), never));
      expect(error).toMatchObject({ code: "model_timeout" });
      expect(events).toHaveLength(after);
    });

    test("an answer may be slow, as long as it goes on", async () => {
      const { provider } = await answering([{ reply: "one two three four five", delay_ms: 40, token_delay_ms: 40 }]);
      const { events, error } = await hear(provider.stream(providerRequest({ timeoutMs: 150 }), never));
      expect(error).toBeNull();
      expect(textOf(events)).toBe("one two three four five");
    });

    test("a signal that has aborted lets nothing out", async () => {
      const { provider, asked } = await answering([{ reply: "one" }]);
      const reason = new Error("not wanted any more");
      const { events, error } = await hear(provider.stream(providerRequest(), AbortSignal.abort(reason)));
      expect({ events, error }).toEqual({ events: [], error: reason });
      expect(await asked()).toBe(0);
    });

    test("a signal that aborts in the middle ends the call with its reason", async () => {
      const fault = { silence_ms: 3_600_000, after_tokens: 2 };
      const { provider, left } = await answering([{ reply: "one two three", fault }]);
      const controller = new AbortController();
      const reason = new Error("cancelled");
      const seen: string[] = [];
      const listening = (async () => {
        for await (const event of provider.stream(providerRequest(), controller.signal)) {
          seen.push(event.type);
          if (seen.length === 2) setImmediate(() => controller.abort(reason));
        }
      })();
      await expect(listening).rejects.toBe(reason);
      expect(seen).toEqual(["text", "text"]);
      await left?.();
    });

    test("a consumer that stops listening ends the call", async () => {
      const fault = { silence_ms: 3_600_000, after_tokens: 1 };
      const { provider, left } = await answering([{ reply: "one two three", fault }]);
      for await (const event of provider.stream(providerRequest(), never)) {
        expect(event.type).toBe("text");
        break;
      }
      await left?.();
    });

    test("check says how it does", async () => {
      const { provider, down } = await answering([{ reply: "one" }]);
      const health = await provider.check(never);
      expect(health.ok).toBe(true);
      expect(health.models.length).toBeGreaterThan(0);
      if (down === null) return;
      await down();
      expect(await provider.check(never)).toMatchObject({ ok: false, models: [] });
      const { error } = await hear(provider.stream(providerRequest(), never));
      expect(error).toMatchObject({ code: "model_unavailable" });
      expect(String(error)).toContain("refused the connection; is it running?");
    });
  });
}
