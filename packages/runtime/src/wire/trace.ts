import { z } from "zod";

import type { Run } from "../core/index.ts";
import type { Timeline } from "../core/ports/index.ts";
import { jsonObject, timestamp, toTimestamp } from "./json.ts";
import { runStatus } from "./run-status.ts";
import { runBody, runToWire } from "./run.ts";

/** A trace in the list: the run that began it. */
const traceSummary = z
  .object({
    trace_id: z.string(),
    run_id: z.string(),
    agent: z.string(),
    status: runStatus,
    started_at: timestamp,
    duration_ms: z.number().nullable(),
  })
  .meta({ id: "TraceSummary" });

/** Traces, newest first. */
export const traceList = z.object({ traces: z.array(traceSummary) }).meta({ id: "TraceList" });

/** A stretch of a run's work. */
const traceSpan = z
  .object({
    span_id: z.string(),
    parent_span_id: z.string().nullable(),
    run_id: z.string(),
    kind: z.string().meta({ description: "`run`, or the kind of the effect: model, tool, child, .." }),
    name: z.string(),
    started_at: timestamp,
    ended_at: timestamp.nullable(),
    duration_ms: z.number().nullable(),
    status: z.enum(["ok", "error", "open", "ambiguous"]),
    attempt: z.number(),
    node_id: z.string().nullable(),
    attributes: jsonObject,
  })
  .meta({ id: "TraceSpan" });

/** The runs of one trace and their timeline. */
export const traceBody = z
  .object({ trace_id: z.string(), runs: z.array(runBody), spans: z.array(traceSpan) })
  .meta({ id: "Trace" });

/** A run as the trace that it began. */
export function traceSummaryToWire(run: Run): z.infer<typeof traceSummary> {
  return {
    trace_id: run.traceId,
    run_id: run.runId,
    agent: run.agent,
    status: run.status,
    started_at: toTimestamp(run.createdAt),
    duration_ms: run.endedAt === null ? null : run.endedAt - run.createdAt,
  };
}

/** A timeline on the wire. */
export function traceToWire(timeline: Timeline): z.infer<typeof traceBody> {
  return {
    trace_id: timeline.traceId,
    runs: timeline.runs.map(runToWire),
    spans: timeline.spans.map((span) => ({
      span_id: span.spanId,
      parent_span_id: span.parentSpanId,
      run_id: span.runId,
      kind: span.kind,
      name: span.name,
      started_at: toTimestamp(span.startedAt),
      ended_at: span.endedAt === null ? null : toTimestamp(span.endedAt),
      duration_ms: span.endedAt === null ? null : span.endedAt - span.startedAt,
      status: span.status,
      attempt: span.attempt,
      node_id: span.nodeId,
      attributes: { ...span.attributes },
    })),
  };
}
