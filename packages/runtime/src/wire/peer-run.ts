/**
 * Runs between nodes. The members have core's own names, since both sides are this program: `satisfies` holds schema and
 * type together, and a release that adds a member must accept its absence.
 */
import { z } from "zod";

import type { ErrorRecord, ImagePart, Run, StreamEvent } from "../core/index.ts";
import type { JournalRecord, RunFilter, SubmitRequest, Timeline } from "../core/ports/index.ts";
import { errorCode } from "./error.ts";
import { jsonObject, jsonValue } from "./json.ts";
import { runEventBody, runEventFromWire, runEventToWire } from "./run-event.ts";
import { runStatus, stopReason, waitReason } from "./run-status.ts";

const count = z.number().int();
const usage = z.object({ inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number().nullable() });

/** An error between nodes. */
export const peerError = z.object({
  code: errorCode,
  message: z.string(),
  retryable: z.boolean(),
  details: jsonObject.exactOptional(),
}) satisfies z.ZodType<ErrorRecord>;

/** An image in a request or a message. */
export const peerImage = z.object({
  mediaType: z.string(),
  source: z.union([z.object({ url: z.string() }), z.object({ data: z.string() })]),
}) satisfies z.ZodType<ImagePart>;

const input = z.object({ query: z.string(), images: z.array(peerImage), context: jsonObject });

/** A whole run. */
const peerRun = z.object({
  runId: z.string(),
  agent: z.string(),
  definitionDigest: z.string(),
  principalId: z.string(),
  sessionId: z.string(),
  traceId: z.string(),
  parentSpanId: z.string().nullable(),
  engine: z.enum(["journal", "temporal"]),
  journalFormat: count,
  status: runStatus,
  stopReason: stopReason.nullable(),
  input,
  response: z.string().nullable(),
  output: jsonValue,
  error: peerError.nullable(),
  usage,
  lostUsage: usage,
  modelMs: z.number(),
  toolMs: z.number(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  ownerNodeId: z.string().nullable(),
  epoch: count,
  attempt: count,
  fruitlessAttempts: count,
  leaseUntil: z.number().nullable(),
  wakeAt: z.number().nullable(),
  waitReason: waitReason.nullable(),
  workLimitMs: z.number(),
  workedMs: z.number(),
  waitDeadlineAt: z.number().nullable(),
  cancelRequestedAt: z.number().nullable(),
  parentRunId: z.string().nullable(),
  parentPosition: z.string().nullable(),
  depth: count,
  headSeq: count,
  segment: count,
  createdAt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
}) satisfies z.ZodType<Run>;

/** `POST /v1/peer/runs/submit`: the request, without the principal, which the signed context names. */
export const peerSubmit = z.object({
  agent: z.string(),
  input,
  sessionId: z.string().nullable(),
  idempotency: z.object({ key: z.string().max(256), bodyDigest: z.string().max(256) }).nullable(),
  traceparent: z.string().nullable(),
}) satisfies z.ZodType<Omit<SubmitRequest, "principal">>;

/** Its answer. */
export const peerSubmitted = z.object({ run: peerRun, created: z.boolean() });

/** A run, and the node whose model answered last. */
export const peerRunAnswer = z.object({ run: peerRun, inferenceNode: z.string().nullable() });

/** `get`, `journal`, `cancel`. */
export const peerRunId = z.object({ runId: z.string() });

/** `settled`. */
export const peerSettle = z.object({ runId: z.string(), timeoutMs: z.number().min(0) });

/** `events`: after which event. */
export const peerWatch = z.object({
  runId: z.string(),
  after: z.object({ attempt: count, offset: count }).nullable(),
});

/** `signal`. */
export const peerSignal = z.object({
  runId: z.string(),
  name: z.string(),
  payload: jsonValue,
  signalId: z.string().nullable(),
});

/** `list`. */
export const peerRunFilter = z.object({
  agent: z.string().exactOptional(),
  status: runStatus.exactOptional(),
  sessionId: z.string().exactOptional(),
  principalId: z.string().exactOptional(),
  parentRunId: z.string().exactOptional(),
  traceId: z.string().exactOptional(),
  before: z.string().exactOptional(),
  limit: z.number().int().min(1).max(1_000),
}) satisfies z.ZodType<RunFilter>;

/** The answer of `list`. */
export const peerRunList = z.object({ runs: z.array(peerRun) });

/** `timeline`. */
export const peerTraceId = z.object({ traceId: z.string() });

const effectClass = z.enum(["read", "idempotent", "once"]);

/** The answer of `journal`. */
export const peerJournal = z.object({
  records: z.array(
    z.object({
      seq: count,
      segment: count,
      position: z.string(),
      phase: z.enum(["intent", "done", "failed", "ambiguous"]),
      kind: z.enum([
        "context",
        "say",
        "model",
        "tool",
        "remember",
        "timer",
        "signal",
        "child",
        "race",
        "version",
        "checkpoint",
      ]),
      effectClass: effectClass.nullable(),
      inputDigest: z.string().nullable(),
      payload: jsonValue,
      attempt: count,
      at: z.number(),
    }) satisfies z.ZodType<JournalRecord>,
  ),
});

/** The answer of `timeline`. */
export const peerTimeline = z.object({
  traceId: z.string(),
  runs: z.array(peerRun),
  spans: z.array(
    z.object({
      spanId: z.string(),
      parentSpanId: z.string().nullable(),
      runId: z.string(),
      kind: z.string(),
      name: z.string(),
      startedAt: z.number(),
      endedAt: z.number().nullable(),
      status: z.enum(["ok", "error", "open", "ambiguous"]),
      attempt: count,
      nodeId: z.string().nullable(),
      attributes: jsonObject,
    }),
  ),
}) satisfies z.ZodType<Timeline>;

/** One event of `events`, the data of a server-sent event. */
const peerStreamEvent = z.object({ attempt: count, offset: count, at: z.number(), event: runEventBody });

/** An event as text. */
export function streamEventToPeer({ attempt, offset, at, event }: StreamEvent): string {
  return JSON.stringify({ attempt, offset, at, event: runEventToWire(event) });
}

/** An event from its text; throws for text that is none. */
export function streamEventFromPeer(runId: string, text: string): StreamEvent {
  const { attempt, offset, at, event } = peerStreamEvent.parse(JSON.parse(text));
  return { runId, attempt, offset, at, event: runEventFromWire(event) };
}
