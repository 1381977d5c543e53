/**
 * The states of a run and what moves it from one to the next. Pure.
 *
 * I1 A run that has ended never changes its status again.
 * I2 Only the owner moves a `running` run; whoever claims it becomes the owner, in a new epoch.
 * I3 `queued` and `waiting` runs have no owner; a `running` one has exactly one.
 * I4 A `waiting` run has a reason and, in the end, a time: a wake-up, a deadline, or both.
 * I5 A run ends as `completed`, `failed` or `cancelled`, each with a stop reason, and nothing else ends it.
 */
import { AstromeshError, isEnded } from "../core/index.ts";
import type { ErrorCode, RunStatus, StopReason } from "../core/index.ts";

/** What can happen to a run. */
export type RunTransition =
  /** A node takes it: from the queue, at its wake-up, or from an owner whose lease ended. */
  | { readonly type: "claimed" }
  /** Every branch of its loop waits; `signalled` when what it waits for came at the same moment. */
  | { readonly type: "parked"; readonly signalled: boolean }
  /** Its owner gives it back unfinished, because the node stops. */
  | { readonly type: "released" }
  /** A signal or the wish to cancel reached it while it waited. */
  | { readonly type: "woken" }
  | { readonly type: "ended"; readonly as: "completed" | "failed" | "cancelled" };

type Next = {
  readonly [T in RunTransition["type"]]: (
    status: RunStatus,
    event: Extract<RunTransition, { type: T }>,
  ) => RunStatus | null;
};

/** The status after each event; null where the status does not allow it. */
const NEXT: Next = {
  claimed: (status) => (isEnded(status) ? null : "running"),
  parked: (status, { signalled }) => (status !== "running" ? null : signalled ? "queued" : "waiting"),
  released: (status) => (status === "running" ? "queued" : null),
  woken: (status) => (status === "waiting" ? "queued" : null),
  ended: (status, { as }) => (status === "running" ? as : null),
};

/** The status after a transition; `internal` when the run's status does not allow it. */
export function transition(status: RunStatus, event: RunTransition): RunStatus {
  const next = (NEXT[event.type] as (status: RunStatus, event: RunTransition) => RunStatus | null)(status, event);
  if (next === null) throw new AstromeshError("internal", `A ${status} run cannot be ${event.type}.`);
  return next;
}

const STOP_REASONS: Partial<Record<ErrorCode, StopReason>> = {
  run_timeout: "timeout",
  run_poison: "poison",
  guardrail_blocked: "guardrail",
  budget_exceeded: "budget",
  cancelled: "cancelled",
};

/** The stop reason of a run that an error ended. */
export function stopReasonOf(code: ErrorCode): StopReason {
  return STOP_REASONS[code] ?? "error";
}
