import type { ToolCall } from "./message.ts";
import type { Usage } from "./usage.ts";

/**
 * What repeating an effect does, and so what a resume does with one that has an intent and no outcome:
 * - `read`: nothing changes outside, or repeating is free of harm: performed again.
 * - `idempotent`: performed again with the same idempotency key.
 * - `once`: never performed again by us; the run asks the tool's `reconcile`, else a person.
 */
export type EffectClass = "read" | "idempotent" | "once";

/** Builds a thread's opening: rendered system prompt, recalled history, the user's query. */
export interface ContextEffect {
  readonly kind: "context";
  readonly thread: string;
}

/** Adds a message of the pattern's own to a thread, such as the instruction of a plan's step. */
export interface SayEffect {
  readonly kind: "say";
  readonly thread: string;
  /** Where in the thread the message stands. */
  readonly index: number;
  readonly role: "system" | "user";
  readonly text: string;
}

/** One model call over the first `length` messages of a thread; its answer becomes message `length`. */
export interface ModelEffect {
  readonly kind: "model";
  readonly thread: string;
  readonly length: number;
  /** The pattern's role (reasoner, planner, ..), mapped to a model role by the definition. */
  readonly role: string;
  /** Offer the agent's tools. */
  readonly tools: boolean;
  /** Tokens go to the run's stream. */
  readonly stream: boolean;
  /** The loop needs the text itself; otherwise only its place in the thread comes back. */
  readonly returnText: boolean;
}

/** One tool call; its result becomes message `index` of the thread. */
export interface ToolEffect {
  readonly kind: "tool";
  readonly thread: string;
  readonly index: number;
  readonly call: ToolCall;
}

/** Keeps the run's question and answer in the session's memory. */
export interface RememberEffect {
  readonly kind: "remember";
  readonly thread: string;
  /** The message that is the answer. */
  readonly answerIndex: number;
}

/** Anything outside the loop that the engine performs, journals and never repeats without need. */
export type EffectRequest = ContextEffect | SayEffect | ModelEffect | ToolEffect | RememberEffect;

/** What comes back from a `context` effect. */
export interface ContextResult {
  /** The thread's length in messages. */
  readonly length: number;
}

/** Why a model stopped. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** What comes back from a `model` effect. Small: the text stays in the thread unless it was asked for. */
export interface ModelResult {
  /** The answer's place in the thread. */
  readonly index: number;
  readonly finishReason: FinishReason;
  readonly toolCalls: readonly ToolCall[];
  readonly text: string | null;
  readonly usage: Usage;
  readonly provider: string;
  readonly model: string;
  readonly durationMs: number;
}

/** What comes back from a `tool` effect. A tool's failure is an observation, not an error. */
export interface ToolResult {
  readonly index: number;
  readonly ok: boolean;
  readonly durationMs: number;
}

/** The result type of each kind of effect. */
export interface EffectResults {
  readonly context: ContextResult;
  readonly say: null;
  readonly model: ModelResult;
  readonly tool: ToolResult;
  readonly remember: null;
}

/** The name of a kind of effect. */
export type EffectKind = EffectRequest["kind"];

/** The result of a given request. */
export type EffectResultOf<R extends EffectRequest> = EffectResults[R["kind"]];
