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

/** The status after a transition; `internal` when the run's status does not allow it. */
export function transition(status: RunStatus, event: RunTransition): RunStatus {
  const next = nextStatus(status, event);
  if (next === null) throw new AstromeshError("internal", `A ${status} run cannot be ${event.type}.`);
  return next;
}

function nextStatus(status: RunStatus, event: RunTransition): RunStatus | null {
  switch (event.type) {
    case "claimed":
      return isEnded(status) ? null : "running";
    case "parked":
      return status === "running" ? (event.signalled ? "queued" : "waiting") : null;
    case "released":
      return status === "running" ? "queued" : null;
    case "woken":
      return status === "waiting" ? "queued" : null;
    case "ended":
      return status === "running" ? event.as : null;
  }
}

/** The stop reason of a run that an error ended. */
export function stopReasonOf(code: ErrorCode): StopReason {
  switch (code) {
    case "run_timeout":
      return "timeout";
    case "run_poison":
      return "poison";
    case "guardrail_blocked":
      return "guardrail";
    case "budget_exceeded":
      return "budget";
    case "cancelled":
      return "cancelled";
    default:
      return "error";
  }
}
