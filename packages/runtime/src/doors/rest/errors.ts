import type { z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";

import { AstromeshError, toAstromeshError } from "../../core/index.ts";
import type { ErrorCode, Json, JsonObject } from "../../core/index.ts";
import type { ErrorBody, Fault } from "../../wire/index.ts";

/** Which status answers which code; and after how many seconds to try again, where waiting helps and nobody said more. */
export const REST_ERRORS = {
  invalid_json: { status: 400 },
  unauthorized: { status: 401 },
  forbidden: { status: 403 },
  tool_denied: { status: 403 },
  not_found: { status: 404 },
  agent_not_found: { status: 404 },
  run_not_found: { status: 404 },
  tool_not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  run_timeout: { status: 408 },
  agent_read_only: { status: 409 },
  run_ended: { status: 409 },
  session_busy: { status: 409, retryAfterSeconds: 1 },
  cancelled: { status: 409 },
  peer_unproven: { status: 409 },
  payload_too_large: { status: 413 },
  unsupported_media_type: { status: 415 },
  misdirected: { status: 421 },
  invalid_request: { status: 422 },
  agent_invalid: { status: 422 },
  config_invalid: { status: 422 },
  guardrail_blocked: { status: 422 },
  idempotency_key_reused: { status: 422 },
  prompt_invalid: { status: 422 },
  tool_invalid_arguments: { status: 422 },
  rate_limited: { status: 429, retryAfterSeconds: 1 },
  admission_full: { status: 429, retryAfterSeconds: 1 },
  budget_exceeded: { status: 429, retryAfterSeconds: 60 },
  internal: { status: 500 },
  journal_mismatch: { status: 500 },
  run_failed: { status: 502 },
  run_poison: { status: 502 },
  model_unavailable: { status: 502 },
  model_timeout: { status: 502 },
  model_rate_limited: { status: 502 },
  model_rejected: { status: 502 },
  model_auth: { status: 502 },
  model_not_found: { status: 502 },
  model_bad_response: { status: 502 },
  model_stream_broken: { status: 502 },
  model_circuit_open: { status: 502 },
  tool_failed: { status: 502 },
  no_service: { status: 503, retryAfterSeconds: 2 },
  mesh_disabled: { status: 503 },
  draining: { status: 503, retryAfterSeconds: 5 },
  store_unavailable: { status: 503, retryAfterSeconds: 5 },
  store_full: { status: 503, retryAfterSeconds: 30 },
  stale_epoch: { status: 503, retryAfterSeconds: 1 },
  tool_timeout: { status: 504 },
} as const satisfies Record<ErrorCode, { readonly status: number; readonly retryAfterSeconds?: number }>;

/** A status that an error may have. */
export type ErrorStatus = (typeof REST_ERRORS)[ErrorCode]["status"];

/** An error as this wire answers it. */
export interface ErrorAnswer {
  readonly status: ErrorStatus;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** Facts of `details` that stand at the top of the body. */
const LIFTED = ["run_id", "status", "stop_reason"] as const;

/** The answer for anything thrown. An unexpected error says nothing but where the log has it. */
export function toErrorAnswer(thrown: unknown, traceId: string): ErrorAnswer {
  const error = fromHono(thrown) ?? toAstromeshError(thrown);
  const { status } = REST_ERRORS[error.code];
  if (error.code === "internal") {
    const detail = `internal error; the node's log has the details under trace ${traceId}`;
    return { status, headers: {}, body: { detail, code: "internal", trace_id: traceId } };
  }
  return { status, headers: headersOf(error), body: bodyOf(error) };
}

/** True for errors that are the node's own fault and belong into its log. */
export function isDefect(status: ErrorStatus): boolean {
  return status === 500;
}

function headersOf(error: AstromeshError): Record<string, string> {
  if (error.code === "unauthorized") return { "www-authenticate": 'Bearer realm="astromesh"' };
  const entry = REST_ERRORS[error.code];
  const usual = "retryAfterSeconds" in entry ? entry.retryAfterSeconds : undefined;
  const seconds = error.retryAfterMs === null ? usual : Math.ceil(error.retryAfterMs / 1_000);
  return seconds === undefined ? {} : { "retry-after": String(Math.max(1, seconds)) };
}

function bodyOf(error: AstromeshError): ErrorBody {
  const { errors, ...rest } = error.details;
  const lifted: Record<string, string> = {};
  const details: Record<string, Json> = {};
  for (const [name, value] of Object.entries(rest)) {
    if ((LIFTED as readonly string[]).includes(name) && typeof value === "string") lifted[name] = value;
    else details[name] = value;
  }
  return {
    detail: error.message,
    code: error.code,
    ...(errors === undefined ? {} : { errors: toFaults(errors) }),
    ...lifted,
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** `details.errors` as faults, whether its items are `{path, message}` or texts. */
function toFaults(errors: Json): Fault[] {
  if (!Array.isArray(errors)) return [];
  return (errors as readonly Json[]).map((item) => {
    if (typeof item !== "object" || item === null) return { path: "", message: String(item) };
    const { path, message } = item as JsonObject;
    return { path: typeof path === "string" ? path : "", message: typeof message === "string" ? message : "" };
  });
}

/** What Hono's own checks throw: a body that is no JSON, or of another media type. */
function fromHono(thrown: unknown): AstromeshError | null {
  if (!(thrown instanceof HTTPException)) return null;
  if (thrown.status === 400) return new AstromeshError("invalid_json", "the body is not valid JSON");
  if (thrown.status === 415) {
    return new AstromeshError("unsupported_media_type", "send the body as `Content-Type: application/json`");
  }
  return null;
}

/** What a schema found, as the error that names each field. */
export function invalidRequest(issues: readonly z.core.$ZodIssue[]): AstromeshError {
  return invalidFields(issues.flatMap(toFault));
}

/** An error that names fields. */
export function invalidFields(faults: readonly Fault[]): AstromeshError {
  const first = faults[0];
  const named =
    first === undefined ? "invalid request" : first.path === "" ? first.message : `${first.path}: ${first.message}`;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return new AstromeshError("invalid_request", named + more, {
    details: { errors: faults.map((fault) => ({ ...fault })) },
  });
}

/** One issue as faults: unknown members are named each, and of a union the branch that came nearest speaks. */
function toFault(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(String).join(".");
  const at = (member: string): string => (path === "" ? member : `${path}.${member}`);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: at(key), message: "unknown member" }));
  }
  if (issue.code === "invalid_union") {
    const nearest = issue.errors.toSorted((a, b) => a.length - b.length)[0];
    if (nearest !== undefined) {
      return nearest.flatMap(toFault).map((fault) => ({ ...fault, path: fault.path === "" ? path : at(fault.path) }));
    }
  }
  return [{ path, message: issue.message }];
}
