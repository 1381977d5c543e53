import { z } from "zod";

import { ERROR_CODES } from "../core/index.ts";
import type { ErrorCode, ErrorRecord } from "../core/index.ts";
import { jsonObject } from "./json.ts";

/** The codes that an error may carry. */
export const errorCode = z
  .enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]])
  .meta({ id: "ErrorCode", description: "Stable; never changes its meaning" });

/** One fault of a request or a document. */
export const fault = z
  .object({
    path: z.string().meta({ description: "Where, such as `images.0.url`; empty for the whole" }),
    message: z.string(),
  })
  .meta({ id: "Fault" });
/** See `fault`. */
export type Fault = z.infer<typeof fault>;

/** The body of every answer that is an error. */
export const errorBody = z
  .object({
    detail: z.string().meta({ description: "For people" }),
    code: errorCode,
    errors: z.array(fault).optional(),
    run_id: z.string().optional(),
    status: z.string().optional().meta({ description: "The run's, when the error is about one" }),
    stop_reason: z.string().optional(),
    trace_id: z.string().optional().meta({ description: "Under which the node's log has the details" }),
    details: jsonObject.optional(),
  })
  .meta({ id: "Error" });
/** See `errorBody`. */
export type ErrorBody = z.infer<typeof errorBody>;

/** Why a run failed. */
export const runError = z
  .object({ code: errorCode, detail: z.string(), retryable: z.boolean(), details: jsonObject.optional() })
  .meta({ id: "RunError" });
/** See `runError`. */
export type RunError = z.infer<typeof runError>;

/** A run's error on the wire. */
export function runErrorToWire(record: ErrorRecord): RunError {
  return {
    code: record.code,
    detail: record.message,
    retryable: record.retryable,
    ...(record.details === undefined ? {} : { details: record.details }),
  };
}

/** A run's error from the wire. */
export function runErrorFromWire(error: RunError): ErrorRecord {
  return {
    code: error.code,
    message: error.detail,
    retryable: error.retryable,
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}
