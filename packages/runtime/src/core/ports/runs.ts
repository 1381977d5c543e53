import type { StreamEvent } from "../events.ts";
import type { Json, JsonObject } from "../json.ts";
import type { Principal } from "../principal.ts";
import type { Run, RunInput } from "../run.ts";
import type { JournalRecord, RunFilter } from "./run-store.ts";

/** A request for a run, as every door makes it. */
export interface SubmitRequest {
  readonly agent: string;
  readonly input: RunInput;
  /** Null begins a new session. */
  readonly sessionId: string | null;
  readonly principal: Principal;
  /** The client's key and a digest of its request, so that a repeat is the same run. */
  readonly idempotency: { readonly key: string; readonly bodyDigest: string } | null;
  /** W3C traceparent of the request; null begins a new trace. */
  readonly traceparent: string | null;
}

/** The run that a request got: its own, or the one that its idempotency key names. */
export interface Submitted {
  readonly run: Run;
  readonly created: boolean;
}

/** A stretch of a run's work, read from its journal. */
export interface TimelineSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly runId: string;
  /** `run`, or the kind of the effect: model, tool, child, .. */
  readonly kind: string;
  /** What was called: the agent, the model, the tool. */
  readonly name: string;
  readonly startedAt: number;
  /** Null while it goes on. */
  readonly endedAt: number | null;
  readonly status: "ok" | "error" | "open" | "ambiguous";
  readonly attempt: number;
  readonly nodeId: string | null;
  /** Tokens, costs, sizes, reasons; never prompts or answers. */
  readonly attributes: JsonObject;
}

/** The runs of one trace and their timeline. */
export interface Timeline {
  readonly traceId: string;
  readonly runs: readonly Run[];
  readonly spans: readonly TimelineSpan[];
}

/**
 * Durable runs, as doors see them.
 *
 * Contract. `submit` resolves when the run is on disk; it rejects with `agent_not_found`, `session_busy`,
 * `admission_full`, `idempotency_key_reused` or `draining`. A principal sees its own runs, `admin` all; others' are
 * `run_not_found`.
 */
export interface Runs {
  submit(request: SubmitRequest): Promise<Submitted>;
  get(runId: string, principal: Principal): Promise<Run>;
  list(filter: RunFilter, principal: Principal): Promise<readonly Run[]>;
  journal(runId: string, principal: Principal): Promise<readonly JournalRecord[]>;
  /**
   * Events after an offset, live until the run ends. A reader that is slow is served from the log. Ends without a
   * final event only when `signal` aborts, or at once when the reader has seen that event before.
   *
   * @param after where the reader stands: the last offset it has seen and the attempt that said it; an offset that
   * died with its owner is answered by a `retract` event.
   */
  events(
    runId: string,
    principal: Principal,
    after: { readonly attempt: number; readonly offset: number } | null,
    signal: AbortSignal,
  ): AsyncIterable<StreamEvent>;
  /** The run when it has ended or waits, at the latest after `timeoutMs` (then as it stands). */
  settled(runId: string, principal: Principal, timeoutMs: number, signal: AbortSignal): Promise<Run>;
  /** The timeline of a trace; `run_not_found` when the principal sees no run of it. */
  timeline(traceId: string, principal: Principal): Promise<Timeline>;
  /** Asks the run to stop; resolves once the wish is on disk. `run_ended` when it has ended otherwise. */
  cancel(runId: string, principal: Principal): Promise<Run>;
  /**
   * Keeps a message for the run. `approve` (`{approved, reason}`) and `resolve` (`{outcome: done|failed|retry, result}`)
   * are a person's answers, about the only call that waits for one, or with `:<position>` about the one at that place
   * of the journal; they want the scope `approve`. `invalid_request` when nothing there waits for the answer.
   */
  signal(
    runId: string,
    principal: Principal,
    signal: { readonly name: string; readonly payload: Json; readonly signalId: string | null },
  ): Promise<Run>;
}
