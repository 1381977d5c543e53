import { createIds, JOURNAL_FORMAT, NO_USAGE } from "../../src/core/index.ts";
import type { AgentDefinition, PinnedDefinition, Run } from "../../src/core/index.ts";
import type { RunCreate } from "../../src/core/ports/index.ts";

/** Ids that grow, even within a millisecond. */
export const sampleIds = createIds(
  (
    (last = 0) =>
    () =>
      (last = Math.max(last + 1, Date.now()))
  )(),
  Math.random,
);

/** A whole agent definition, named by a digest. */
export function sampleDefinition(name = "greeter", digest = `sha256:${name}`): PinnedDefinition {
  const definition: AgentDefinition = {
    name,
    version: "1.0.0",
    namespace: "default",
    labels: {},
    identity: { displayName: name, description: "Greets people.", avatar: null },
    model: {
      default: {
        candidates: [
          { provider: "offline", model: "rules", endpoint: null, apiKey: null, timeoutMs: 1000, parameters: {} },
        ],
        strategy: "quality_first",
      },
      roles: {},
    },
    prompts: { system: "You greet.", templates: {} },
    orchestration: { pattern: "react", maxIterations: 10, timeoutMs: null, roleMap: {}, options: {} },
    tools: [],
    memory: { conversational: null, episodic: null, semantic: null },
    guardrails: { input: [], output: [] },
    permissions: { allowedActions: null },
    knowledge: null,
    outputSchema: null,
    schedules: [],
    channels: [],
    budget: { maxTokens: null, maxCostUsd: null },
    execution: { targetTags: [] },
  };
  return { digest, definition };
}

/** A queued run; `fields` replace what matters to the test. */
export function sampleRun(fields: Partial<Run> = {}): Run {
  return {
    runId: sampleIds.run(),
    agent: "greeter",
    definitionDigest: "sha256:greeter",
    principalId: "local",
    sessionId: sampleIds.session(),
    traceId: sampleIds.trace(),
    parentSpanId: null,
    engine: "journal",
    journalFormat: JOURNAL_FORMAT,
    status: "queued",
    stopReason: null,
    input: { query: "Hello", images: [], context: {} },
    response: null,
    output: null,
    error: null,
    usage: NO_USAGE,
    lostUsage: NO_USAGE,
    modelMs: 0,
    toolMs: 0,
    model: null,
    provider: null,
    ownerNodeId: null,
    epoch: 0,
    attempt: 0,
    fruitlessAttempts: 0,
    leaseUntil: null,
    wakeAt: null,
    waitReason: null,
    workLimitMs: 3_600_000,
    workedMs: 0,
    waitDeadlineAt: null,
    cancelRequestedAt: null,
    parentRunId: null,
    parentPosition: null,
    depth: 0,
    headSeq: 0,
    segment: 0,
    createdAt: 1_700_000_000_000,
    startedAt: null,
    endedAt: null,
    ...fields,
  };
}

/** A create of such a run: no idempotency key, alone in its session. */
export function sampleCreate(fields: Partial<Run> = {}, rest: Partial<RunCreate> = {}): RunCreate {
  const run = sampleRun(fields);
  return {
    run,
    definition: sampleDefinition(run.agent, run.definitionDigest),
    idempotency: null,
    exclusiveSession: true,
    ...rest,
  };
}
