import { z } from "zod";

import type { Run, StreamEvent } from "../core/index.ts";
import { runError, runErrorToWire } from "./error.ts";
import { jsonValue, present, timestamp, toTimestamp } from "./json.ts";
import { runStatus, stopReason, waitReason } from "./run-status.ts";
import { usageBody, usageToWire } from "./usage.ts";

/** Where a run's time went, in milliseconds. */
const timing = z
  .object({ total_ms: z.number(), model_ms: z.number(), tool_ms: z.number() })
  .meta({ id: "Timing", description: "`total_ms` is zero until the run has ended" });

/** A run as it stands. Absent members: not (yet) there. */
export const runBody = z
  .object({
    run_id: z.string(),
    agent: z.string(),
    status: runStatus,
    stop_reason: stopReason.nullable(),
    response: z.string().nullable(),
    output: jsonValue.optional().meta({ description: "The answer as data, where the agent has an output_schema" }),
    error: runError.optional(),
    session_id: z.string(),
    usage: usageBody,
    lost_usage: usageBody.meta({ description: "What attempts that died had begun to spend and never reported" }),
    timing,
    model: z.string().nullable(),
    provider: z.string().nullable(),
    trace_id: z.string(),
    attempt: z.number(),
    wait_reason: waitReason.optional(),
    wake_at: timestamp.optional().meta({ description: "When a waiting run wakes by itself" }),
    wait_deadline_at: timestamp.optional().meta({ description: "When a waiting run gives up" }),
    cancel_requested_at: timestamp.optional(),
    parent_run_id: z.string().optional(),
    created_at: timestamp,
    started_at: timestamp.optional(),
    ended_at: timestamp.optional(),
  })
  .meta({ id: "Run" });
/** See `runBody`. */
export type RunBody = z.infer<typeof runBody>;

/** A page of runs, newest first. */
export const runPage = z
  .object({
    runs: z.array(runBody),
    next_cursor: z.string().nullable().meta({ description: "Send as `cursor` for the next page; null on the last" }),
  })
  .meta({ id: "RunPage" });

const optionalTime = (at: number | null): string | null => (at === null ? null : toTimestamp(at));

/** A run's timing on the wire. */
function timingToWire(run: Run): z.infer<typeof timing> {
  return {
    total_ms: run.endedAt === null ? 0 : run.endedAt - run.createdAt,
    model_ms: run.modelMs,
    tool_ms: run.toolMs,
  };
}

/** A run on the wire. */
export function runToWire(run: Run): RunBody {
  return {
    run_id: run.runId,
    agent: run.agent,
    status: run.status,
    stop_reason: run.stopReason,
    response: run.response,
    session_id: run.sessionId,
    usage: usageToWire(run.usage),
    lost_usage: usageToWire(run.lostUsage),
    timing: timingToWire(run),
    model: run.model,
    provider: run.provider,
    trace_id: run.traceId,
    attempt: run.attempt,
    created_at: toTimestamp(run.createdAt),
    ...present({
      output: run.output,
      error: run.error === null ? null : runErrorToWire(run.error),
      wait_reason: run.waitReason,
      wake_at: optionalTime(run.wakeAt),
      wait_deadline_at: optionalTime(run.waitDeadlineAt),
      cancel_requested_at: optionalTime(run.cancelRequestedAt),
      parent_run_id: run.parentRunId,
      started_at: optionalTime(run.startedAt),
      ended_at: optionalTime(run.endedAt),
    }),
  };
}

/** A tool call of a finished run. */
const toolCallSummary = z
  .object({
    id: z.string(),
    name: z.string(),
    arguments: jsonValue,
    ok: z.boolean().nullable().meta({ description: "Null when the run ended before the tool did" }),
    preview: z.string().meta({ description: "At most 4 KiB of the result" }),
  })
  .meta({ id: "ToolCallSummary" });
/** See `toolCallSummary`. */
export type ToolCallSummary = z.infer<typeof toolCallSummary>;

/** The answer of a run that completed while its client waited. */
export const runAnswer = z
  .object({
    run_id: z.string(),
    status: runStatus,
    stop_reason: stopReason,
    response: z.string(),
    output: jsonValue.optional(),
    session_id: z.string(),
    tool_calls: z.array(toolCallSummary),
    usage: usageBody,
    timing,
    model: z.string().nullable(),
    provider: z.string().nullable(),
    trace_id: z.string(),
  })
  .meta({ id: "RunAnswer" });
/** See `runAnswer`. */
export type RunAnswer = z.infer<typeof runAnswer>;

/** A completed run as the answer to the request that asked for it. */
export function runAnswerToWire(run: Run, toolCalls: readonly ToolCallSummary[]): RunAnswer {
  return {
    run_id: run.runId,
    status: run.status,
    stop_reason: run.stopReason ?? "end",
    response: run.response ?? "",
    ...(run.output === null ? {} : { output: run.output }),
    session_id: run.sessionId,
    tool_calls: [...toolCalls],
    usage: usageToWire(run.usage),
    timing: timingToWire(run),
    model: run.model,
    provider: run.provider,
    trace_id: run.traceId,
  };
}

/** Folds a run's events into its tool calls; what a `retract` voids is forgotten. */
export function foldToolCalls(events: readonly StreamEvent[]): readonly ToolCallSummary[] {
  const calls = new Map<string, ToolCallSummary & { readonly offset: number }>();
  for (const { event, offset } of events) {
    if (event.type === "tool_call") {
      calls.set(event.id, {
        id: event.id,
        name: event.name,
        arguments: event.arguments,
        ok: null,
        preview: "",
        offset,
      });
    } else if (event.type === "tool_result") {
      const call = calls.get(event.id);
      if (call !== undefined) calls.set(event.id, { ...call, ok: event.ok, preview: event.preview });
    } else if (event.type === "retract") {
      for (const [id, call] of calls) if (call.offset > event.to) calls.delete(id);
    }
  }
  return [...calls.values()].map(({ offset: _offset, ...call }) => call);
}
