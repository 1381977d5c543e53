import type { ModelPolicy } from "../agent.ts";
import type { FinishReason } from "../effect.ts";
import type { JsonObject } from "../json.ts";
import type { Message, ToolCall } from "../message.ts";
import type { Usage } from "../usage.ts";

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
}

/** One call to one model of one provider. */
export interface ProviderRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  /** Our names (temperature, top_p, max_tokens, stop, seed); anything else is passed through as it is. */
  readonly parameters: JsonObject;
  /** The answer must be JSON of this schema, where the provider can enforce it. */
  readonly outputSchema: JsonObject | null;
  /** How long the server may send nothing: until its first piece, and between two. Milliseconds. */
  readonly timeoutMs: number;
  /** The same for every repetition of the same call; sent on where the provider takes one. */
  readonly idempotencyKey: string;
  /** W3C traceparent for the hop; null when tracing is off. */
  readonly traceparent: string | null;
}

/** What a model says, piece by piece. `finish` comes once and last; without it the stream was broken. */
export type ProviderEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_call"; readonly call: ToolCall }
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      /** As the provider counts; null when it does not say. */
      readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
    };

/** What a check of a provider found. */
export interface ProviderHealth {
  readonly ok: boolean;
  readonly message: string;
  readonly models: readonly string[];
}

/**
 * One model server or API.
 *
 * Contract. `stream` throws AstromeshError with a `model_*` code, before or between events; it stops and frees its
 * connection when the signal aborts (throwing the signal's reason) or when the consumer stops iterating. It never
 * retries and never ends without `finish`: a connection that closes early is `model_stream_broken`, a server that is
 * silent for longer than `timeoutMs` is `model_timeout`. Time that the consumer takes between two events is its own.
 */
export interface ModelProvider {
  readonly name: string;
  readonly type: string;
  stream(request: ProviderRequest, signal: AbortSignal): AsyncIterable<ProviderEvent>;
  check(signal: AbortSignal): Promise<ProviderHealth>;
}

/** A model call as a run asks for it: any of the policy's candidates will do. */
export interface ModelCall {
  readonly policy: ModelPolicy;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly outputSchema: JsonObject | null;
  readonly idempotencyKey: string;
  readonly traceparent: string | null;
  readonly agent: string;
  readonly runId: string;
}

/** What a model call says: the chosen provider's events, and what the router did. */
export type ModelCallEvent =
  | Exclude<ProviderEvent, { type: "finish" }>
  /** This candidate is asked now. */
  | { readonly type: "candidate"; readonly provider: string; readonly model: string; readonly why: string }
  /** What was said so far is void: the candidate broke in mid-stream and another begins. */
  | { readonly type: "retract"; readonly reason: string }
  | {
      readonly type: "finish";
      readonly reason: FinishReason;
      readonly usage: Usage;
      readonly provider: string;
      readonly model: string;
    };

/**
 * Answers model calls by policy: order, breaker, retry before the first token, fallback.
 *
 * Contract. Throws the last candidate's AstromeshError when none is left; `details.attempts` lists what was tried.
 */
export interface ModelGateway {
  call(call: ModelCall, signal: AbortSignal): AsyncIterable<ModelCallEvent>;
}
