import type {
  AgentDefinition,
  Clock,
  EffectClass,
  EffectKind,
  EffectRequest,
  EffectResults,
  Json,
  JsonObject,
  Run,
  RunEvent,
  Usage,
} from "../../core/index.ts";
import type {
  ContextBuilder,
  EffectKey,
  ModelGateway,
  RunStore,
  SessionMemory,
  SessionTurn,
  ThreadMessage,
  Tool,
  ToolRegistry,
} from "../../core/ports/index.ts";
import type { Threads } from "./threads.ts";

/** The request of a kind of effect. */
export type RequestOf<K extends EffectKind> = Extract<EffectRequest, { kind: K }>;

/** What executors work with: one run, and the ports. No engine in it, so that any engine can host them. */
export interface EffectScope {
  readonly run: Run;
  readonly definition: AgentDefinition;
  readonly threads: Threads;
  readonly clock: Clock;
  readonly gateway: ModelGateway;
  readonly registry: ToolRegistry;
  readonly contextBuilder: ContextBuilder;
  readonly memory: SessionMemory;
  readonly store: Pick<RunStore, "reserveEffectKey">;
  readonly stream: EffectStream;
  readonly toolTextBytes: number;
  /** What the run has used so far. */
  readonly used: () => Usage;
}

/** The run's stream, as an effect sees it. */
export interface EffectStream {
  head(): number;
  emit(event: RunEvent, source: string): void;
  hold(): () => void;
  retract(to: number, source: string, reason: string): void;
}

/** One call of an effect. */
export interface EffectCall {
  /** Segment and position in one text; names the call within the run. */
  readonly place: string;
  /** The same for every repetition. */
  readonly idempotencyKey: string;
  readonly traceparent: string;
  /** Aborts when the run ends or loses its owner. */
  readonly signal: AbortSignal;
}

/** What an effect is, told before anything happens. */
export interface EffectPlan<K extends EffectKind> {
  readonly effectClass: EffectClass;
  /** The tool or role, for metrics. */
  readonly name: string;
  /** Kept in the intent, for the timeline and for diffs; null: the effect writes its outcome only. */
  readonly about: JsonObject | null;
  /** A person must agree first. */
  readonly approval: boolean;
  /** What clients are told when it begins. */
  readonly announce: RunEvent | null;
  /** The outcome, where policy or the arguments settle it without performing anything. */
  readonly refusal: EffectDone<K> | null;
}

/** What an effect came to. */
export interface EffectDone<K extends EffectKind> {
  readonly result: EffectResults[K];
  /** What the journal keeps; `replay` makes the result from it. */
  readonly payload: JsonObject;
  readonly messages: readonly ThreadMessage[];
  /** What clients are told when it ends. */
  readonly event: RunEvent | null;
  readonly ok: boolean;
  readonly spent: EffectSpending;
  /** What the session is to remember of it. */
  readonly turn: SessionTurn | null;
  readonly completeEffectKey: (EffectKey & { readonly result: Json }) | null;
}

/** What an effect adds to its run's sums. */
export interface EffectSpending {
  readonly usage: Usage | null;
  readonly modelMs: number;
  readonly toolMs: number;
  readonly model: string | null;
  readonly provider: string | null;
}

/** Nothing spent. */
export const NO_SPENDING: EffectSpending = { usage: null, modelMs: 0, toolMs: 0, model: null, provider: null };

/**
 * Performs one kind of effect.
 *
 * Contract. `plan` and `replay` change nothing outside. `perform` rejects with AstromeshError when the effect failed
 * for good, and with the signal's reason when it aborts.
 */
export interface EffectExecutor<K extends EffectKind> {
  plan(request: RequestOf<K>): EffectPlan<K>;
  perform(request: RequestOf<K>, call: EffectCall): Promise<EffectDone<K>>;
  /** The result from what the journal kept. */
  replay(request: RequestOf<K>, payload: JsonObject): Promise<EffectResults[K]>;
  /** What an attempt that died in this call may have spent and never reported: an estimate. */
  lost?(request: RequestOf<K>): Promise<Usage>;
}

/** The definition's tools, found once per attempt. */
export function createToolFinder(scope: EffectScope): () => ReadonlyMap<string, Tool> {
  let offered: ReadonlyMap<string, Tool> | null = null;
  return () => (offered ??= scope.registry.forAgent(scope.definition));
}
