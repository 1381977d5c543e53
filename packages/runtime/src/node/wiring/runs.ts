import { patternFor } from "../../agents/patterns/index.ts";
import type { RunsConfig } from "../../config/index.ts";
import { createRunEngine } from "../../runs/index.ts";
import type { RunEngine, RunEngineDeps } from "../../runs/index.ts";
import type { Metrics, Tracing } from "../../telemetry/index.ts";
import { createRunObserver } from "./run-observer.ts";

/** Puts the run engine together, with the settings of runtime.yaml. */
export function createNodeRuns(
  config: RunsConfig,
  deps: Omit<RunEngineDeps, "patterns" | "observer"> & { readonly metrics: Metrics; readonly tracing: Tracing },
): RunEngine {
  const { metrics, tracing, ...rest } = deps;
  return createRunEngine(
    { ...rest, patterns: patternFor, observer: createRunObserver({ metrics, tracing }) },
    {
      maxConcurrent: config.concurrency,
      maxQueued: config.queue,
      maxResuming: config.resumeConcurrency,
      sessionWaitMs: config.sessionWaitMs,
      leaseMs: config.leaseMs,
      leaseRenewMs: config.leaseMs / 3,
      workLimitMs: config.timeoutMs,
      waitLimitMs: config.waitTimeoutMs,
      poisonAfter: config.maxFruitlessAttempts,
      idempotencyMs: config.idempotencyTtlMs,
      retention: config.retention,
    },
  );
}
