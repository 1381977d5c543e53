import type { JsonObject } from "./json.ts";

/**
 * Every error code of the product: what it means, and whether the same request may succeed later.
 * Codes are part of the outer contract: they never change their meaning, and doors map them to their wire.
 */
export const ERROR_CODES = {
  invalid_request: { retryable: false, meaning: "The request breaks its schema; `errors` names each field." },
  invalid_json: { retryable: false, meaning: "The body is not valid JSON." },
  unauthorized: { retryable: false, meaning: "No key was sent, or a key that this node does not know." },
  forbidden: { retryable: false, meaning: "The key lacks the scope that the route asks for." },
  not_found: { retryable: false, meaning: "No such route or resource." },
  method_not_allowed: { retryable: false, meaning: "The route exists, but not with this method." },
  unsupported_media_type: { retryable: false, meaning: "The body is not sent as application/json." },
  payload_too_large: { retryable: false, meaning: "The body is over the limit." },
  agent_not_found: { retryable: false, meaning: "No agent of that name is loaded." },
  agent_invalid: { retryable: false, meaning: "The agent's definition is not valid; `errors` names each place." },
  agent_read_only: { retryable: false, meaning: "The agent is defined by a file and cannot be changed by API." },
  run_not_found: { retryable: false, meaning: "No run of that id, or not one that this key may see." },
  run_ended: { retryable: false, meaning: "The run has ended, so it can no longer be steered." },
  session_busy: { retryable: true, meaning: "The session has a run going; one run at a time per session." },
  idempotency_key_reused: { retryable: false, meaning: "The idempotency key was used before with another body." },
  rate_limited: { retryable: true, meaning: "Too many requests from this key." },
  admission_full: { retryable: true, meaning: "The node's queue of runs is full." },
  budget_exceeded: { retryable: false, meaning: "The budget does not cover the next call." },
  run_timeout: { retryable: true, meaning: "The wait, or the run's own time, is over." },
  run_failed: { retryable: false, meaning: "The run failed; `message` says why." },
  run_poison: { retryable: false, meaning: "The run was resumed too often without progress and is quarantined." },
  guardrail_blocked: { retryable: false, meaning: "A guardrail refused the input or the output." },
  prompt_invalid: { retryable: false, meaning: "A prompt template failed to render." },
  model_unavailable: { retryable: true, meaning: "The model's server cannot be reached or refuses to serve." },
  model_timeout: { retryable: true, meaning: "The model sent nothing within its time limit." },
  model_rate_limited: { retryable: true, meaning: "The provider answered that there were too many requests." },
  model_rejected: { retryable: false, meaning: "The provider refused the request itself." },
  model_auth: { retryable: false, meaning: "The provider refused the key, or no key is set." },
  model_not_found: { retryable: false, meaning: "The provider does not have that model." },
  model_bad_response: { retryable: true, meaning: "The provider's answer could not be understood." },
  model_stream_broken: { retryable: true, meaning: "The answer broke off before its end mark." },
  model_circuit_open: { retryable: true, meaning: "The model failed repeatedly and is being rested." },
  tool_not_found: { retryable: false, meaning: "No tool of that name is offered." },
  tool_invalid_arguments: { retryable: false, meaning: "The tool's arguments break its schema." },
  tool_denied: { retryable: false, meaning: "Policy refuses this use of the tool." },
  tool_failed: { retryable: false, meaning: "The tool reported a failure." },
  tool_timeout: { retryable: false, meaning: "The tool did not finish in time." },
  no_service: { retryable: true, meaning: "No reachable node provides the service that the request needs." },
  peer_unproven: { retryable: true, meaning: "A node that this one does not know yet must echo its challenge." },
  misdirected: { retryable: true, meaning: "The request was meant for another node." },
  mesh_disabled: { retryable: false, meaning: "This node is not part of a mesh." },
  draining: { retryable: true, meaning: "The node is shutting down and takes no new work." },
  store_unavailable: { retryable: true, meaning: "The database cannot be reached." },
  store_full: { retryable: true, meaning: "The disk or the database is full." },
  stale_epoch: { retryable: false, meaning: "Another owner has taken the run over." },
  journal_mismatch: { retryable: false, meaning: "The journal does not fit the code that replays it." },
  cancelled: { retryable: false, meaning: "The work was cancelled." },
  config_invalid: { retryable: false, meaning: "A configuration file is not valid; `errors` names each place." },
  internal: { retryable: false, meaning: "A defect of Astromesh; the log has the details under the same trace id." },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

/** A stable, machine-readable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error may carry besides its code and message. */
export interface ErrorOptions {
  readonly cause?: unknown;
  /** Facts for programs, such as the fields at fault. Never secrets. */
  readonly details?: JsonObject;
  /** Overrides the code's own answer to "may the same request succeed later?". */
  readonly retryable?: boolean;
  /** When trying again makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** The one error class that crosses folders: code, message for people, cause, and facts for programs. */
export class AstromeshError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: JsonObject;
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AstromeshError";
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** An error as it stands in a journal or a body: what is left of it when it crosses a process. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: JsonObject;
  /** When trying again made sense, in milliseconds from when the error was written down. */
  readonly retryAfterMs?: number;
}

/** Anything thrown, as an AstromeshError: unknown errors become `internal` and keep their cause. */
export function toAstromeshError(thrown: unknown): AstromeshError {
  if (thrown instanceof AstromeshError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AstromeshError("internal", message, { cause: thrown });
}

/** What is written down of an error. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  const error = toAstromeshError(thrown);
  return {
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    ...(Object.keys(error.details).length > 0 ? { details: error.details } : {}),
    ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
  };
}

/** The error that a record was written from. */
export function fromErrorRecord(record: ErrorRecord): AstromeshError {
  return new AstromeshError(record.code, record.message, {
    retryable: record.retryable,
    ...(record.details === undefined ? {} : { details: record.details }),
    ...(record.retryAfterMs === undefined ? {} : { retryAfterMs: record.retryAfterMs }),
  });
}
