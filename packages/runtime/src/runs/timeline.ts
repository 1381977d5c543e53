import { isEnded, isJsonObject } from "../core/index.ts";
import type { JsonObject, Run } from "../core/index.ts";
import type { JournalRecord, TimelineSpan } from "../core/ports/index.ts";
import { aboutOf, payloadOf } from "./engines/journal/index.ts";
import { callSpanId, runSpanId } from "./spans.ts";

/** The spans of runs and their calls, from their rows and journals, by start. Pure. */
export function timelineOf(
  runs: readonly { readonly run: Run; readonly journal: readonly JournalRecord[] }[],
): TimelineSpan[] {
  return runs
    .flatMap(({ run, journal }) => [runSpan(run), ...callSpans(run, journal)])
    .toSorted((a, b) => a.startedAt - b.startedAt);
}

function runSpan(run: Run): TimelineSpan {
  return {
    spanId: runSpanId(run.runId),
    parentSpanId: run.parentSpanId,
    runId: run.runId,
    kind: "run",
    name: run.agent,
    startedAt: run.createdAt,
    endedAt: run.endedAt,
    status: !isEnded(run.status) ? "open" : run.status === "completed" ? "ok" : "error",
    attempt: run.attempt,
    nodeId: run.ownerNodeId,
    attributes: {
      status: run.status,
      stopReason: run.stopReason,
      inputTokens: run.usage.inputTokens,
      outputTokens: run.usage.outputTokens,
      costUsd: run.usage.costUsd,
      model: run.model,
      provider: run.provider,
      workedMs: run.workedMs,
      waitReason: run.waitReason,
      errorCode: run.error?.code ?? null,
    },
  };
}

/** A call's records, which share a place. */
interface Call {
  intent: JournalRecord | null;
  outcome: JournalRecord | null;
  ambiguous: JournalRecord | null;
}

function callSpans(run: Run, journal: readonly JournalRecord[]): TimelineSpan[] {
  const calls = new Map<string, Call>();
  for (const record of journal) {
    const place = `${record.segment}:${record.position}`;
    const call = calls.get(place) ?? { intent: null, outcome: null, ambiguous: null };
    if (record.phase === "intent") call.intent = record;
    else if (record.phase === "ambiguous") call.ambiguous = record;
    else call.outcome = record;
    calls.set(place, call);
  }
  return [...calls.values()].flatMap((call) => {
    const first = call.intent ?? call.outcome ?? call.ambiguous;
    return first === null ? [] : [callSpan(run, first, call)];
  });
}

function callSpan(run: Run, first: JournalRecord, { intent, outcome, ambiguous }: Call): TimelineSpan {
  const about = intent === null ? {} : aboutOf(intent);
  const kept = outcome === null ? {} : payloadOf(outcome);
  const durationMs = typeof kept["durationMs"] === "number" ? kept["durationMs"] : 0;
  const named = [kept["model"], about["tool"], about["agent"], intent && payloadOf(intent)["name"]];
  const { segment, position, kind } = first;
  return {
    spanId: callSpanId({ runId: run.runId, segment, position }),
    parentSpanId: runSpanId(run.runId),
    runId: run.runId,
    kind,
    name: named.find((name) => typeof name === "string") ?? kind,
    // A call without an intent was recorded when it ended.
    startedAt: intent?.at ?? first.at - durationMs,
    endedAt: outcome?.at ?? null,
    status: statusOf(outcome, ambiguous, kept),
    attempt: (outcome ?? first).attempt,
    nodeId: null,
    attributes: { segment, position, effectClass: first.effectClass, ...attributesOf(kept) },
  };
}

function statusOf(
  outcome: JournalRecord | null,
  ambiguous: JournalRecord | null,
  kept: JsonObject,
): TimelineSpan["status"] {
  if (outcome === null) return ambiguous === null ? "open" : "ambiguous";
  return outcome.phase === "failed" || kept["ok"] === false ? "error" : "ok";
}

/** Numbers and reasons; never what was said. */
function attributesOf(kept: JsonObject): JsonObject {
  const { provider, finishReason, durationMs, sizeBytes, code, usage, status, stopReason } = kept;
  const all = { provider, finishReason, durationMs, sizeBytes, errorCode: code, status, stopReason };
  const known = Object.entries(all).filter(([, value]) => value !== undefined) as [string, string][];
  return { ...Object.fromEntries(known), ...(isJsonObject(usage) ? usage : {}) };
}
