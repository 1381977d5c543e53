import { runSpanId } from "../../runs/index.ts";
import type { ObservedEffect, ObservedRun, RunObserver } from "../../runs/index.ts";
import { chatSpan, executeToolSpan, invokeAgentSpan } from "../../telemetry/index.ts";
import type { Metrics, SpanFacts, Tracing } from "../../telemetry/index.ts";

/** Turns what the run engine tells into metrics and spans. Ids of spans are the engine's, so traces match /v1/traces. */
export function createRunObserver(deps: { readonly metrics: Metrics; readonly tracing: Tracing }): RunObserver {
  const { metrics, tracing } = deps;
  let leaseAgeMs = 0;
  metrics.leaseAge.observe(() => [{ value: leaseAgeMs / 1_000, labels: {} }]);

  return {
    runStarted: ({ agent }) => metrics.runsStarted.add(1, { agent }),
    runEnded(run, end) {
      const { agent } = run;
      const { status, stopReason } = end;
      metrics.runsEnded.add(1, { agent, status, stop_reason: stopReason });
      metrics.runDuration.recordMs(end.durationMs, { agent, status });
      tracing.record({
        ...invokeAgentSpan({ ...run, status, stopReason, usage: end.usage }),
        traceId: run.traceId,
        spanId: runSpanId(run.runId),
        parentSpanId: run.parentSpanId,
        startedAt: run.createdAt,
        endedAt: run.createdAt + end.durationMs,
        errorCode: end.errorCode,
      });
    },
    effectEnded(run, effect) {
      if (effect.kind === "tool") {
        const labels = { "gen_ai.tool.name": effect.name, "error.type": effect.errorCode ?? "" };
        metrics.toolDuration.recordMs(effect.durationMs, labels);
      }
      const facts = effectSpan(run, effect);
      if (facts !== null) {
        tracing.record({
          ...facts,
          traceId: run.traceId,
          spanId: effect.spanId,
          parentSpanId: effect.parentSpanId,
          startedAt: effect.startedAt,
          endedAt: effect.startedAt + effect.durationMs,
          errorCode: effect.errorCode,
        });
      }
    },
    ambiguous: () => metrics.ambiguous.add(1, {}),
    parked: (_, reason) => metrics.parked.add(1, { reason }),
    takenOver: () => metrics.takeovers.add(1, {}),
    quarantined: () => metrics.quarantined.add(1, {}),
    journalMismatch: () => metrics.replayMismatches.add(1, {}),
    attemptLost: (_, code) => metrics.attemptsLost.add(1, { code }),
    leaseAge: (ageMs) => (leaseAgeMs = ageMs),
    refused: (code) => metrics.runsRefused.add(1, { code }),
  };
}

/** Only effects that reach outside have spans; building a prompt and remembering a turn stay in the timeline. */
function effectSpan(run: ObservedRun, effect: ObservedEffect): SpanFacts | null {
  const { agent, runId } = run;
  const { name, provider, usage, effectClass } = effect;
  if (effect.kind === "model") return chatSpan({ provider, model: name, agent, runId, usage });
  if (effect.kind === "tool") return executeToolSpan({ tool: name, effectClass, runId });
  return null;
}
