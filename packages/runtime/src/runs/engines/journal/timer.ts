import { digestOf } from "../../digest.ts";
import type { Branch } from "./branch.ts";
import type { AttemptKit } from "./kit.ts";
import { recordOf } from "./kit.ts";
import { payloadOf, verifyCall } from "./replay.ts";

/** Sleeps up to this long stay in memory: parking and waking costs more than they save. Milliseconds. */
const SHORT_SLEEP_MS = 1_000;

/** A durable sleep: its end is in the journal, so a restart changes nothing. */
export async function sleepDurably(kit: AttemptKit, branch: Branch, durationMs: number): Promise<void> {
  const { clock } = kit.deps;
  const position = branch.take();
  const request = { durationMs };
  const digest = digestOf(request);
  const known = kit.segment().replay.at(position);
  if (known !== null) verifyCall(known, { position, kind: "timer", digest, what: request });
  if (known?.outcome) {
    branch.seen(known.outcome);
    return;
  }
  const wakeAt = known?.intent ? Number(payloadOf(known.intent)["wakeAt"]) : clock.now() + Math.max(0, durationMs);
  if (!known?.intent) {
    kit.goLive();
    const payload = { wakeAt, about: {} };
    kit.writer.defer({ records: [recordOf(kit, { position, phase: "intent", kind: "timer", digest, payload })] });
  }
  const leftMs = wakeAt - clock.now();
  if (leftMs > SHORT_SLEEP_MS) {
    await kit.waits.wait({ reason: "timer", name: null, dueAt: wakeAt, deadlineAt: null }, branch.signal);
  } else if (leftMs > 0) {
    await clock.sleep(leftMs, branch.signal);
  }
  const done = recordOf(kit, { position, phase: "done", kind: "timer", payload: null });
  kit.goLive();
  kit.writer.defer({ records: [done] });
  branch.seen(done);
}
