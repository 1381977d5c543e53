import { AstromeshError } from "../../../core/index.ts";
import type { AgentDefinition, EffectClass, Json, Run } from "../../../core/index.ts";
import type { NewRecord, RecordKind, RecordPhase, RunPatch } from "../../../core/ports/index.ts";
import type { EffectExecutors, Threads } from "../../effects/index.ts";
import type { RunEngineDeps, RunEngineOptions } from "../../options.ts";
import type { RunStream, Streams } from "../../streams.ts";
import type { Activity } from "./activity.ts";
import type { Branch } from "./branch.ts";
import type { ReplayIndex } from "./replay.ts";
import type { Waits } from "./waits.ts";
import { isStoreTrouble } from "./writer.ts";
import type { JournalWriter } from "./writer.ts";

/** Why an attempt stops before its loop has ended. */
export type Interrupt =
  | { readonly kind: "parked" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: AstromeshError }
  /** Another owner, a lease that ran out, or a store that does not come back: nothing more is written. */
  | { readonly kind: "lost"; readonly error: AstromeshError }
  /** The node stops: the run goes back into the queue. */
  | { readonly kind: "released" };

/** The sums of a run; `startedAt` is when its first attempt began. */
export type Totals = Pick<Run, "usage" | "lostUsage" | "modelMs" | "toolMs" | "model" | "provider" | "startedAt">;

/** An effect between its intent and its outcome. */
export interface InFlight {
  readonly position: string;
  readonly kind: RecordKind;
  readonly effectClass: EffectClass;
  /** Where the intent stands; a repeated try has its own (see ambiguous.ts). */
  readonly tryPosition: string;
}

/** What a child run needs of the engine. */
export interface ChildRuns {
  /** Creates the child unless it is there. `agent_not_found` when no agent of that name is loaded. */
  create(child: {
    readonly parent: Run;
    readonly runId: string;
    readonly sessionId: string;
    readonly agent: string;
    readonly query: string;
    readonly position: string;
    readonly spanId: string;
  }): Promise<void>;
  cancel(runId: string): Promise<void>;
}

/** What an attempt works with. */
export interface AttemptDeps {
  readonly deps: RunEngineDeps;
  readonly options: RunEngineOptions;
  readonly streams: Streams;
  readonly children: ChildRuns;
}

/** A run that this node has just created or claimed. */
export interface AttemptStart {
  readonly run: Run;
  readonly definition: AgentDefinition;
  /** The run was created by this very claim, so the store has nothing of it but its row. */
  readonly fresh: boolean;
  /** The attempt before this one died. */
  readonly died: boolean;
  /** When the lease ends, on the monotonic clock. */
  readonly leaseEnd: () => number;
}

/** All that the parts of one attempt share. */
export interface AttemptKit {
  readonly deps: RunEngineDeps;
  readonly options: RunEngineOptions;
  readonly run: Run;
  readonly definition: AgentDefinition;
  /** The run's span. */
  readonly spanId: string;
  readonly writer: JournalWriter;
  readonly stream: RunStream;
  readonly threads: Threads;
  readonly executors: EffectExecutors;
  readonly children: ChildRuns;
  totals(): Totals;
  addTotals(more: Partial<Totals>): void;
  /** The sums that have changed since the last call, for the next write. */
  newTotals(): Partial<Totals>;
  readonly activity: Activity;
  readonly waits: Waits;
  readonly inFlight: Map<string, InFlight>;
  /** Children whose end the loop waits for: run id by position. */
  readonly openChildren: Map<string, string>;
  /** Aborts when the attempt is over. */
  readonly signal: AbortSignal;
  /** The segment that the loop is in, and what earlier attempts recorded of it. */
  segment(): { readonly number: number; readonly replay: ReplayIndex };
  enterSegment(number: number, replay: ReplayIndex): void;
  /** How long the run has worked by now. Milliseconds. */
  workedMs(): number;
  /** False when the lease has ended, or the attempt is over: then nothing may be performed. */
  mayPerform(): boolean;
  /** Ends the attempt; the first reason counts. */
  interrupt(reason: Interrupt): void;
  /** The attempt does something new: its replay is over. */
  goLive(): void;
  isLive(): boolean;
}

/** A record of this attempt. */
export function recordOf(
  kit: AttemptKit,
  fields: {
    readonly position: string;
    readonly phase: RecordPhase;
    readonly kind: RecordKind;
    readonly effectClass?: EffectClass;
    readonly digest?: string;
    readonly payload: Json;
  },
): NewRecord {
  return {
    segment: kit.segment().number,
    position: fields.position,
    phase: fields.phase,
    kind: fields.kind,
    effectClass: fields.effectClass ?? null,
    inputDigest: fields.digest ?? null,
    payload: fields.payload,
    attempt: kit.run.attempt,
    at: kit.deps.clock.now(),
  };
}

/** How far the run has come, as columns: what changes with every step. */
export function progressPatch(kit: AttemptKit): RunPatch {
  return { workedMs: kit.workedMs(), ...kit.newTotals() };
}

/** A promise that never settles: what a call of a strand gets that is over. Nothing keeps it alive. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/**
 * Runs one call of the loop. A strand that is over gets no answer, so its code goes no further; whatever its work
 * still throws concerns nobody. What no pattern may catch ends the attempt instead of reaching the loop.
 */
export async function guarded<T>(kit: AttemptKit, branch: Branch, body: () => Promise<T>): Promise<T> {
  if (branch.signal.aborted) return never();
  kit.activity.enter();
  try {
    const value = await body();
    if (!branch.signal.aborted) return value;
  } catch (thrown) {
    if (!branch.signal.aborted) {
      const reason = interruptOf(thrown);
      if (reason === null) throw thrown;
      kit.interrupt(reason);
    }
  } finally {
    kit.activity.leave();
  }
  return never();
}

/** A journal of other code ends the run; a store or a lease that is gone ends the attempt, and another goes on. */
function interruptOf(thrown: unknown): Interrupt | null {
  if (!(thrown instanceof AstromeshError)) return null;
  if (thrown.code === "journal_mismatch") return { kind: "failed", error: thrown };
  if (thrown.code === "stale_epoch" || isStoreTrouble(thrown)) return { kind: "lost", error: thrown };
  return null;
}
