import type { ChildRuns } from "./engines/journal/index.ts";
import { loadedAgent, newRun } from "./new-run.ts";
import type { RunEngineDeps, RunEngineOptions } from "./options.ts";

/**
 * Runs started by runs. They are queued like any other but never refused: their parent holds no slot while it waits,
 * and a refused child would fail a run that was admitted.
 */
export function createChildRuns(parts: {
  readonly deps: RunEngineDeps;
  readonly options: RunEngineOptions;
  /** A child was written as queued. */
  readonly onQueued: () => void;
  readonly cancel: (runId: string) => Promise<void>;
}): ChildRuns {
  const { deps, options } = parts;
  return {
    cancel: parts.cancel,
    create: async (child) => {
      const { parent } = child;
      const agent = loadedAgent(deps.catalog, child.agent);
      const beginning = {
        runId: child.runId,
        principalId: parent.principalId,
        sessionId: child.sessionId,
        traceId: parent.traceId,
        parentSpanId: child.spanId,
        input: { query: child.query, images: [], context: parent.input.context },
        parentRunId: parent.runId,
        parentPosition: child.position,
        depth: parent.depth + 1,
      };
      const given = { now: deps.clock.now(), workLimitMs: options.workLimitMs };
      await deps.store.create({
        run: newRun(agent, beginning, given),
        definition: { digest: agent.digest, definition: agent.definition },
        idempotency: null,
        exclusiveSession: false,
      });
      parts.onQueued();
    },
  };
}
