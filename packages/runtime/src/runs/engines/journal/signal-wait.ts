import type { JsonObject, SignalOutcome, WaitReason } from "../../../core/index.ts";
import { digestOf } from "../../digest.ts";
import type { Branch } from "./branch.ts";
import type { AttemptKit } from "./kit.ts";
import { recordOf } from "./kit.ts";
import { payloadOf, verifyCall } from "./replay.ts";

/** A durable wait for a signal, at a position of the journal. */
export interface SignalWait {
  readonly position: string;
  readonly name: string;
  readonly timeoutMs: number;
  readonly reason: WaitReason;
  readonly about: JsonObject;
  /**
   * The engine's own question to people: one signal answers it for good, and later ones of its name are dropped. How
   * long it stands open is the node's setting, which may change while a run waits; that of a loop's wait may not.
   */
  readonly question: boolean;
}

/** Waits for a signal, or returns the journaled outcome. */
export async function waitForSignal(kit: AttemptKit, branch: Branch, wait: SignalWait): Promise<SignalOutcome> {
  const { position, name } = wait;
  const request = wait.question ? { name } : { name, timeoutMs: wait.timeoutMs };
  const digest = digestOf(request);
  const known = kit.segment().replay.at(position);
  if (known !== null) verifyCall(known, { position, kind: "signal", digest, what: request });
  if (known?.outcome) {
    branch.seen(known.outcome);
    return known.outcome.payload as unknown as SignalOutcome;
  }
  const deadlineAt = known?.intent
    ? Number(payloadOf(known.intent)["deadlineAt"])
    : kit.deps.clock.now() + wait.timeoutMs;
  if (!known?.intent) {
    kit.goLive();
    const payload = { name, deadlineAt, about: wait.about };
    kit.writer.defer({
      records: [recordOf(kit, { position, phase: "intent", kind: "signal", digest, payload })],
    });
  }
  const spec = { reason: wait.reason, name, dueAt: deadlineAt, deadlineAt: null };
  const end = await kit.waits.wait(spec, branch.signal);
  const outcome: SignalOutcome =
    end.kind === "due"
      ? { kind: "timeout" }
      : { kind: "received", payload: end.signal.payload, sender: end.signal.sender };
  const used = end.kind === "due" ? [] : [end.signal];
  const dropped = wait.question ? kit.waits.discard(name) : [];
  const done = recordOf(kit, { position, phase: "done", kind: "signal", payload: { ...outcome } });
  kit.goLive();
  kit.writer.defer({
    records: [done],
    consumeSignals: [...used, ...dropped].map((signal) => signal.signalId),
  });
  branch.seen(done);
  return outcome;
}
