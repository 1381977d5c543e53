import { AstromeshError, fromErrorRecord, isEnded, toErrorRecord } from "../../../core/index.ts";
import type { ChildOutcome, ChildRequest, ErrorRecord, JsonObject, Run } from "../../../core/index.ts";
import { digestOf } from "../../digest.ts";
import { callSpanId } from "../../spans.ts";
import type { Branch } from "./branch.ts";
import type { AttemptKit } from "./kit.ts";
import { never, recordOf } from "./kit.ts";
import type { KnownCall } from "./replay.ts";
import { payloadOf, verifyCall } from "./replay.ts";

/**
 * The child's end is signalled to its parent after the child's end is on disk; a crash in between loses the signal.
 * So the parent also looks by itself, first after this long and then each time after as long as it has waited.
 */
const RECHECK_MS = 60_000;

interface ChildIntent {
  readonly runId: string;
  readonly sessionId: string;
  readonly startedAt: number;
  readonly deadlineAt: number;
}

/** The name of the signal that a child's end sends. */
export function childSignalName(parentPosition: string): string {
  return `child:${parentPosition}`;
}

/** Runs another agent and waits for its end. */
export async function runChild(kit: AttemptKit, branch: Branch, request: ChildRequest): Promise<ChildOutcome> {
  const position = branch.take();
  const asked = { ...request };
  const digest = digestOf(asked);
  const known = kit.segment().replay.at(position);
  if (known !== null) verifyCall(known, { position, kind: "child", digest, what: asked });
  if (known?.outcome) {
    branch.seen(known.outcome);
    if (known.outcome.phase === "failed") throw fromErrorRecord(known.outcome.payload as unknown as ErrorRecord);
    return known.outcome.payload as unknown as ChildOutcome;
  }
  const intent = await intentOf(kit, known, position, request, digest);
  kit.openChildren.set(position, intent.runId);
  let outcome: { readonly phase: "done"; readonly child: Run } | { readonly phase: "failed"; readonly error: unknown };
  try {
    outcome = { phase: "done", child: await endOf(kit, branch, request, intent, position) };
  } catch (thrown) {
    if (!(thrown instanceof AstromeshError) || thrown.code !== "agent_not_found") throw thrown;
    outcome = { phase: "failed", error: thrown };
  }
  kit.openChildren.delete(position);
  const payload = outcome.phase === "done" ? outcomeOf(outcome.child) : toErrorRecord(outcome.error);
  const record = recordOf(kit, {
    position,
    phase: outcome.phase,
    kind: "child",
    payload: payload as unknown as JsonObject,
  });
  const used = kit.waits.discard(childSignalName(parentPositionOf(kit, position))).map((signal) => signal.signalId);
  kit.goLive();
  kit.writer.defer({ records: [record], consumeSignals: [...used, childSignalId(intent.runId)] });
  branch.seen(record);
  if (outcome.phase === "failed") throw outcome.error;
  return payload as ChildOutcome;
}

/** A child knows its place by segment and position, because positions begin anew with each segment. */
function parentPositionOf(kit: AttemptKit, position: string): string {
  return `${kit.segment().number}:${position}`;
}

/** The id of the signal that a child's end sends: one end, one signal. */
export function childSignalId(runId: string): string {
  return `child:${runId}`;
}

/** The child's ids are on disk before it is made, so that making it again makes the same. */
async function intentOf(
  kit: AttemptKit,
  known: KnownCall | null,
  position: string,
  request: ChildRequest,
  digest: string,
): Promise<ChildIntent> {
  if (known?.intent) return payloadOf(known.intent) as unknown as ChildIntent;
  const { clock, ids } = kit.deps;
  if (kit.run.depth + 1 > kit.options.maxDepth) {
    const message = `Runs may start runs ${kit.options.maxDepth} deep; ${request.agent} would be deeper.`;
    throw new AstromeshError("run_failed", message);
  }
  const startedAt = clock.now();
  const intent: ChildIntent = {
    runId: ids.run(),
    sessionId: request.sessionId ?? ids.session(),
    startedAt,
    deadlineAt: startedAt + kit.options.waitLimitMs,
  };
  const payload = { ...intent, about: { agent: request.agent } };
  kit.goLive();
  await kit.writer.write({ records: [recordOf(kit, { position, phase: "intent", kind: "child", digest, payload })] });
  return intent;
}

async function endOf(
  kit: AttemptKit,
  branch: Branch,
  request: ChildRequest,
  intent: ChildIntent,
  position: string,
): Promise<Run> {
  const { store, clock } = kit.deps;
  const segment = kit.segment().number;
  const parentPosition = parentPositionOf(kit, position);
  for (;;) {
    const child = await store.get(intent.runId);
    if (child !== null && isEnded(child.status)) return child;
    if (child === null) {
      await kit.children.create({
        parent: kit.run,
        runId: intent.runId,
        sessionId: intent.sessionId,
        agent: request.agent,
        query: request.query,
        position: parentPosition,
        spanId: callSpanId({ runId: kit.run.runId, segment, position }),
      });
    }
    const now = clock.now();
    if (now >= intent.deadlineAt) {
      const message = `The child run ${intent.runId} has not ended in time.`;
      const error = new AstromeshError("run_timeout", message, { details: { runId: intent.runId } });
      kit.interrupt({ kind: "failed", error });
      return never();
    }
    const recheckAt = now + Math.max(RECHECK_MS, now - intent.startedAt);
    const name = childSignalName(parentPosition);
    await kit.waits.wait({ reason: "child", name, dueAt: recheckAt, deadlineAt: intent.deadlineAt }, branch.signal);
  }
}

function outcomeOf(child: Run): ChildOutcome {
  return {
    runId: child.runId,
    status: child.status,
    stopReason: child.stopReason ?? "error",
    response: child.response ?? "",
    error: child.error,
  };
}
