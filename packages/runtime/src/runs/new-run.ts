import { AstromeshError, JOURNAL_FORMAT, NO_USAGE, parseTraceparent } from "../core/index.ts";
import type { Clock, Ids, PinnedDefinition, Run } from "../core/index.ts";
import type { CatalogSource, LoadedAgent, SubmitRequest } from "../core/ports/index.ts";

/** The agent as it is loaded now; `agent_not_found` otherwise. */
export function loadedAgent(catalog: CatalogSource, name: string): LoadedAgent {
  const agent = catalog.current().agents.get(name);
  if (agent !== undefined) return agent;
  throw new AstromeshError("agent_not_found", `There is no agent ${name}.`);
}

type Beginning = Pick<
  Run,
  | "runId"
  | "principalId"
  | "sessionId"
  | "traceId"
  | "parentSpanId"
  | "input"
  | "parentRunId"
  | "parentPosition"
  | "depth"
>;

/** A run that nobody has taken yet. */
export function newRun(
  { definition, digest }: PinnedDefinition,
  beginning: Beginning,
  given: { readonly now: number; readonly workLimitMs: number },
): Run {
  // Every field by name: an object that begins as a copy of another one costs ten times as much to fill up.
  return {
    runId: beginning.runId,
    principalId: beginning.principalId,
    sessionId: beginning.sessionId,
    traceId: beginning.traceId,
    parentSpanId: beginning.parentSpanId,
    input: beginning.input,
    parentRunId: beginning.parentRunId,
    parentPosition: beginning.parentPosition,
    depth: beginning.depth,
    agent: definition.name,
    definitionDigest: digest,
    engine: "journal",
    journalFormat: JOURNAL_FORMAT,
    status: "queued",
    stopReason: null,
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
    workLimitMs: definition.orchestration.timeoutMs ?? given.workLimitMs,
    workedMs: 0,
    waitDeadlineAt: null,
    cancelRequestedAt: null,
    headSeq: 0,
    segment: 0,
    createdAt: given.now,
    startedAt: null,
    endedAt: null,
  };
}

/** The run that a client asks for. */
export function requestedRun(
  agent: PinnedDefinition,
  request: SubmitRequest,
  given: { readonly ids: Ids; readonly clock: Clock; readonly workLimitMs: number },
): Run {
  const { ids, clock, workLimitMs } = given;
  const trace = parseTraceparent(request.traceparent);
  const beginning: Beginning = {
    runId: ids.run(),
    principalId: request.principal.id,
    sessionId: request.sessionId ?? ids.session(),
    traceId: trace?.traceId ?? ids.trace(),
    parentSpanId: trace?.spanId ?? null,
    input: request.input,
    parentRunId: null,
    parentPosition: null,
    depth: 0,
  };
  return newRun(agent, beginning, { now: clock.now(), workLimitMs });
}

/** The same run as if this node had claimed it: its row is born `running`, in one commit instead of two. */
export function bornRunning(run: Run, ownerNodeId: string, leaseMs: number): Run {
  return {
    ...run,
    status: "running",
    ownerNodeId,
    epoch: 1,
    attempt: 1,
    leaseUntil: run.createdAt + leaseMs,
    startedAt: run.createdAt,
  };
}
