import { z } from "zod";

import type { RunInput } from "../core/index.ts";
import { agentName, queryText, sessionId } from "./identifiers.ts";
import { jsonObject, jsonValue } from "./json.ts";
import { runStatus } from "./run-status.ts";

const mediaType = z.string().regex(/^image\/[a-z0-9.+*-]{1,64}$/, "must be an image's media type, such as image/png");

/** An image in a request: by address, or as base64 data. */
const image = z
  .union([
    z.strictObject({ url: z.url({ protocol: /^https?$/ }), media_type: mediaType.default("image/*") }),
    z.strictObject({ data: z.base64().min(1), media_type: mediaType }),
  ])
  .meta({ id: "Image" });

const question = {
  query: queryText,
  images: z.array(image).max(16).optional(),
  session_id: sessionId.optional().meta({ description: "Absent: a new session, returned in the answer" }),
  context: jsonObject.optional().meta({ description: "Free values for prompts and tools" }),
};

/** The longest wait that a client may ask for. A longer run is read by its id. */
const MAX_WAIT_MS = 3_600_000;

/** The body of `POST /v1/agents/{name}/run`. */
export const agentRunRequest = z
  .strictObject({
    ...question,
    stream: z.boolean().optional().meta({ description: "Answer with server-sent events" }),
    wait_ms: z.number().int().min(0).max(MAX_WAIT_MS).optional().meta({ description: "Default 120000" }),
    on_disconnect: z
      .enum(["continue", "cancel"])
      .optional()
      .meta({ description: "What becomes of the run when the client leaves; default continue" }),
  })
  .meta({ id: "AgentRunRequest" });

/** The body of `POST /v1/runs`. */
export const runSubmitRequest = z.strictObject({ agent: agentName, ...question }).meta({ id: "RunSubmitRequest" });

/** What a run is asked, from either body. */
export type Question = Pick<z.infer<typeof runSubmitRequest>, "query" | "images" | "session_id" | "context">;

/** A question as core's run input. */
export function runInputFromWire(body: Question): RunInput {
  return {
    query: body.query,
    images: (body.images ?? []).map(({ media_type, ...source }) => ({ mediaType: media_type, source })),
    context: body.context ?? {},
  };
}

/** What a submit says: the run is on disk. */
export const runAccepted = z
  .object({ run_id: z.string(), status: runStatus, session_id: z.string(), trace_id: z.string() })
  .meta({ id: "RunAccepted" });
/** See `runAccepted`. */
export type RunAccepted = z.infer<typeof runAccepted>;

/** The body of `POST /v1/runs/{id}/signal`. */
export const signalRequest = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,100}$/, "must be 1 to 100 letters, digits, dots, dashes or underscores")
      .meta({ description: "Names with a colon are kept for approvals" }),
    payload: jsonValue.optional(),
    signal_id: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/, "must be 1 to 100 visible ASCII characters")
      .optional()
      .meta({ description: "A repeat with the same id is the same signal" }),
  })
  .meta({ id: "SignalRequest" });

const position = z
  .string()
  .regex(/^\d+(\.\d+)*(\/[a-z]+\d*)?$/, "must be a place in the journal, such as 3 or 3.0.1")
  .optional()
  .meta({ description: "Which call of the run, as its journal says; absent: the only one that waits" });

/** The body of `POST /v1/runs/{id}/approve` and `/reject`. */
export const approvalRequest = z
  .strictObject({ position, reason: z.string().max(2_000).optional() })
  .meta({ id: "ApprovalRequest" });

/** The body of `POST /v1/runs/{id}/resolve`: what became of an effect whose outcome a crash hid. */
export const resolveRequest = z
  .strictObject({
    position,
    outcome: z
      .enum(["done", "failed", "retry"])
      .meta({ description: "It happened; it did not and shall not; perform it (again)" }),
    result: jsonValue.optional().meta({ description: "For `done`: what the tool returned" }),
    reason: z.string().max(2_000).optional(),
  })
  .meta({ id: "ResolveRequest" });
