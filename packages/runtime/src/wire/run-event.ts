import { z } from "zod";

import type { RunEvent, StreamEvent } from "../core/index.ts";
import { runError, runErrorFromWire, runErrorToWire } from "./error.ts";
import { fromTimestamp, jsonValue, timestamp, toTimestamp } from "./json.ts";
import { runStatus, stopReason, waitReason } from "./run-status.ts";
import { usageBody, usageFromWire, usageToWire } from "./usage.ts";

/** What a run tells those who watch it. */
export const runEventBody = z
  .discriminatedUnion("type", [
    z
      .object({ type: z.literal("run.started"), attempt: z.number(), agent: z.string() })
      .meta({ id: "RunStartedEvent" }),
    z.object({ type: z.literal("token"), text: z.string(), thread: z.string() }).meta({ id: "TokenEvent" }),
    z
      .object({ type: z.literal("tool_call"), id: z.string(), name: z.string(), arguments: jsonValue })
      .meta({ id: "ToolCallEvent" }),
    z
      .object({
        type: z.literal("tool_result"),
        id: z.string(),
        name: z.string(),
        ok: z.boolean(),
        preview: z.string(),
      })
      .meta({ id: "ToolResultEvent" }),
    z
      .object({ type: z.literal("waiting"), reason: waitReason, until: timestamp.nullable() })
      .meta({ id: "WaitingEvent" }),
    z
      .object({
        type: z.literal("retract"),
        to: z.number().meta({ description: "Everything after this offset that an earlier attempt said is void" }),
        reason: z.string(),
      })
      .meta({ id: "RetractEvent" }),
    z
      .object({
        type: z.literal("done"),
        status: runStatus,
        stop_reason: stopReason,
        response: z.string(),
        usage: usageBody,
      })
      .meta({ id: "DoneEvent" }),
    z.object({ type: z.literal("error"), ...runError.shape }).meta({ id: "ErrorEvent" }),
  ])
  .meta({ id: "RunEvent" });
/** See `runEventBody`. */
export type RunEventBody = z.infer<typeof runEventBody>;

/** An event on the wire. */
export function runEventToWire(event: RunEvent): RunEventBody {
  switch (event.type) {
    case "run.started":
    case "token":
    case "tool_call":
    case "tool_result":
    case "retract":
      return event;
    case "waiting":
      return { type: "waiting", reason: event.reason, until: event.until === null ? null : toTimestamp(event.until) };
    case "done":
      return {
        type: "done",
        status: event.status,
        stop_reason: event.stopReason,
        response: event.response,
        usage: usageToWire(event.usage),
      };
    case "error":
    default:
      return { type: "error", ...runErrorToWire(event.error) };
  }
}

/** An event from the wire. */
export function runEventFromWire(body: RunEventBody): RunEvent {
  switch (body.type) {
    case "run.started":
    case "token":
    case "tool_call":
    case "tool_result":
    case "retract":
      return body;
    case "waiting":
      return { type: "waiting", reason: body.reason, until: body.until === null ? null : fromTimestamp(body.until) };
    case "done":
      return {
        type: "done",
        status: body.status,
        stopReason: body.stop_reason,
        response: body.response,
        usage: usageFromWire(body.usage),
      };
    case "error":
    default:
      return { type: "error", error: runErrorFromWire(body) };
  }
}

/** A place in a run's stream: the attempt that said the event, and the event's offset. */
export interface StreamPlace {
  readonly runId: string;
  readonly attempt: number;
  readonly offset: number;
}

/** The id of an event in a server-sent stream: `run_id:attempt:offset`. */
export function formatEventId(place: StreamPlace | StreamEvent): string {
  return `${place.runId}:${place.attempt}:${place.offset}`;
}

/** Reads an event's id; null when the text is none. */
export function parseEventId(text: string): StreamPlace | null {
  const match = /^(.{1,128}):(\d{1,9}):(\d{1,15})$/.exec(text.trim());
  if (match === null) return null;
  return { runId: match[1] as string, attempt: Number(match[2]), offset: Number(match[3]) };
}
