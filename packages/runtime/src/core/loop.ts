import type { AgentDefinition } from "./agent.ts";
import type { EffectRequest, EffectResultOf } from "./effect.ts";
import type { ErrorRecord } from "./errors.ts";
import type { Json } from "./json.ts";
import type { RunStatus, StopReason } from "./run.ts";

/** How a wait for a signal ended. */
export type SignalOutcome =
  | { readonly kind: "received"; readonly payload: Json; readonly sender: string }
  | { readonly kind: "timeout" };

/** A run of another agent, started by this one. */
export interface ChildRequest {
  readonly agent: string;
  readonly query: string;
  /** The child's session; null gives it one of its own. */
  readonly sessionId: string | null;
}

/** How a child run ended. */
export interface ChildOutcome {
  readonly runId: string;
  readonly status: RunStatus;
  readonly stopReason: StopReason;
  readonly response: string;
  readonly error: ErrorRecord | null;
}

/** What a pattern is told of its run. All of it comes from the pinned definition and the run's row. */
export interface LoopInput {
  readonly runId: string;
  readonly definition: AgentDefinition;
  readonly query: string;
  /** What the previous segment handed on (see LoopOutcome `continue`); null in the first. */
  readonly state: Json;
}

/**
 * What a loop may do. The whole of it: a pattern is a plain async function over this port and nothing else, so
 * the journal engine can replay it and Temporal can host it.
 *
 * Contract. Calls take their place in the order in which they are made; branches of `all` and `race` get their own
 * context, whose calls are numbered apart. So a loop must reach the same calls in the same order whenever the results
 * are the same: no clock, no random source and no state but its own variables and this port.
 */
export interface LoopContext {
  readonly input: LoopInput;
  /** Performs an effect, or returns the journaled result. Rejects with AstromeshError when it failed for good. */
  effect<R extends EffectRequest>(request: R): Promise<EffectResultOf<R>>;
  /** Waits. Survives restarts; a due time that passed while nobody ran fires at start. */
  sleep(durationMs: number): Promise<void>;
  /** Waits for a signal of that name, at most `timeoutMs`; every wait has a deadline. */
  waitSignal(name: string, timeoutMs: number): Promise<SignalOutcome>;
  /** Runs another agent and waits for its end; cancelled with this run. */
  child(request: ChildRequest): Promise<ChildOutcome>;
  /** Runs branches side by side; results in the order given. The first rejection rejects after all have settled. */
  all<T>(branches: readonly ((branch: LoopContext) => Promise<T>)[]): Promise<T[]>;
  /** Runs branches side by side; the first to settle wins, and stays the winner on every replay. */
  race<T>(branches: readonly ((branch: LoopContext) => Promise<T>)[]): Promise<{ index: number; value: T }>;
  /** The time at which this branch's last recorded call ended. Milliseconds since the Unix epoch. */
  now(): number;
  /** A number in [0, 1), the same on every replay. */
  random(): number;
  /** Which behaviour of a change this run uses: new runs `max`, replays what they recorded (at least `min`). */
  version(changeId: string, supported: { readonly min: number; readonly max: number }): Promise<number>;
  /** True when the history of this segment is long: return `continue` at the next good place. */
  checkpointDue(): boolean;
}

/** How a loop ends. */
export type LoopOutcome =
  | {
      readonly kind: "answer";
      readonly stopReason: Extract<StopReason, "end" | "max_iterations" | "budget" | "guardrail">;
      readonly thread: string;
      /** The message of the thread that is the answer; null when there is none (a partial result may be empty). */
      readonly index: number | null;
    }
  /** Start again as a new segment with this state and an empty history. The threads stay. */
  | { readonly kind: "continue"; readonly state: Json };

/** An orchestration pattern. Pure over its context. */
export type Pattern = (context: LoopContext) => Promise<LoopOutcome>;
