import type { ModelProvider, ProviderRequest } from "../../core/ports/index.ts";
import { toTokens } from "../script.ts";
import { offlineMove } from "./offline-rules.ts";

/** The name of the only model that the offline provider has. */
export const OFFLINE_MODEL = "rules";

/**
 * The model of last resort, so that a node without any model still runs, streams and calls tools: a few fixed rules,
 * which say so of themselves. Tokens are words; the counts it reports are its own words, too.
 */
export function createOfflineProvider(deps: { readonly newCallId: () => string }): ModelProvider {
  return {
    name: "offline",
    type: "offline",
    async *stream(request, signal) {
      signal.throwIfAborted();
      const move = offlineMove(request.messages, request.tools);
      const inputTokens = countWords(request);
      if (move.kind === "call") {
        for (const call of move.calls) yield { type: "tool_call", call: { id: deps.newCallId(), ...call } };
        yield { type: "finish", reason: "tool_calls", usage: { inputTokens, outputTokens: move.calls.length } };
        return;
      }
      const tokens = toTokens(move.text);
      for (const text of tokens) {
        signal.throwIfAborted();
        yield { type: "text", text };
      }
      yield { type: "finish", reason: "stop", usage: { inputTokens, outputTokens: tokens.length } };
    },
    async check() {
      return { ok: true, message: "built in; fixed rules, no language model", models: [OFFLINE_MODEL] };
    },
  };
}

function countWords(request: ProviderRequest): number {
  let count = 0;
  for (const { text } of request.messages) count += toTokens(text).length;
  return count;
}
