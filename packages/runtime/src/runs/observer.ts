import type { EffectClass, EffectKind, Run, RunStatus, StopReason, Usage, WaitReason } from "../core/index.ts";

/** Where a run and its trace are told apart by those who watch. */
export type ObservedRun = Pick<
  Run,
  "runId" | "agent" | "traceId" | "parentSpanId" | "sessionId" | "attempt" | "parentRunId" | "createdAt"
>;

/** An effect that has come to an end, for metrics and traces. */
export interface ObservedEffect {
  readonly kind: EffectKind;
  /** The tool, or the model that answered. */
  readonly name: string;
  readonly provider: string | null;
  readonly effectClass: EffectClass;
  readonly position: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly ok: boolean;
  readonly errorCode: string | null;
  readonly usage: Usage | null;
}

/**
 * What the engine tells telemetry. Called in the hot path: implementations return at once and never throw.
 * Nothing here carries prompts or answers.
 */
export interface RunObserver {
  runStarted(run: ObservedRun): void;
  runEnded(
    run: ObservedRun,
    end: {
      readonly status: RunStatus;
      readonly stopReason: StopReason;
      readonly errorCode: string | null;
      readonly durationMs: number;
      readonly usage: Usage;
      readonly model: string | null;
      readonly provider: string | null;
    },
  ): void;
  effectEnded(run: ObservedRun, effect: ObservedEffect): void;
  /** A `once` effect whose outcome a crash hid. */
  ambiguous(run: ObservedRun, tool: string): void;
  parked(run: ObservedRun, reason: WaitReason): void;
  /** A run was taken from an owner that died. */
  takenOver(run: ObservedRun): void;
  quarantined(run: ObservedRun): void;
  journalMismatch(run: ObservedRun): void;
  /** An attempt stopped because its lease could not be renewed or its store failed. */
  attemptLost(run: ObservedRun, code: string): void;
  /** Age of the oldest lease at its renewal, milliseconds. */
  leaseAge(ageMs: number): void;
  refused(code: "admission_full" | "session_busy" | "draining"): void;
}

const nothing = (): void => {};

/** Tells nobody. */
export const SILENT_OBSERVER: RunObserver = {
  runStarted: nothing,
  runEnded: nothing,
  effectEnded: nothing,
  ambiguous: nothing,
  parked: nothing,
  takenOver: nothing,
  quarantined: nothing,
  journalMismatch: nothing,
  attemptLost: nothing,
  leaseAge: nothing,
  refused: nothing,
};

/** The facts of a run that observers get. */
export function observed(run: Run): ObservedRun {
  return {
    runId: run.runId,
    agent: run.agent,
    traceId: run.traceId,
    parentSpanId: run.parentSpanId,
    sessionId: run.sessionId,
    attempt: run.attempt,
    parentRunId: run.parentRunId,
    createdAt: run.createdAt,
  };
}
