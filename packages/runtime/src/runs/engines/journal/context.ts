import { AstromeshError } from "../../../core/index.ts";
import type { EffectRequest, EffectResultOf, LoopContext, LoopInput } from "../../../core/index.ts";
import { digestOf, seededNumber } from "../../digest.ts";
import type { Branch } from "./branch.ts";
import { runChild } from "./child.ts";
import { cutRecords } from "./cut.ts";
import type { AttemptKit } from "./kit.ts";
import { guarded, recordOf } from "./kit.ts";
import { performEffect } from "./perform.ts";
import { payloadOf, verifyCall } from "./replay.ts";
import { settleEffect } from "./settle.ts";
import { waitForSignal } from "./signal-wait.ts";
import { sleepDurably } from "./timer.ts";

/** Versions that this segment has settled on, by change id: branches that ask at the same time get one answer. */
export type Versions = Map<string, Promise<number>>;

/** The loop's view of one strand of its run. */
export function createLoopContext(kit: AttemptKit, input: LoopInput, versions: Versions, branch: Branch): LoopContext {
  const fork = (child: Branch): LoopContext => createLoopContext(kit, input, versions, child);
  return {
    input,
    effect: <R extends EffectRequest>(request: R) =>
      guarded(kit, branch, () => performEffect(kit, branch, request, settleEffect)) as Promise<EffectResultOf<R>>,
    sleep: (durationMs) => guarded(kit, branch, () => sleepDurably(kit, branch, durationMs)),
    waitSignal: (name, timeoutMs) =>
      guarded(kit, branch, () => {
        const position = branch.take();
        return waitForSignal(kit, branch, { position, name, timeoutMs, reason: "signal", about: {}, question: false });
      }),
    child: (request) => guarded(kit, branch, () => runChild(kit, branch, request)),
    all: (branches) => runAll(branch, branches, fork),
    race: (branches) => runRace(kit, branch, branches, fork),
    now: () => branch.now(),
    random: () => seededNumber(`${kit.run.runId}:${kit.segment().number}:${branch.prefix}:${branch.draw()}`),
    version: (changeId, supported) =>
      guarded(kit, branch, () => {
        const known = versions.get(changeId) ?? settleVersion(kit, branch, changeId, supported);
        versions.set(changeId, known);
        return known;
      }),
    checkpointDue: () => branch.calls() >= kit.options.checkpointCalls,
  };
}

type BranchBody<T> = (branch: LoopContext) => Promise<T>;

/** Side by side; of several rejections the first in the order given counts, so that a replay gives the same. */
async function runAll<T>(
  branch: Branch,
  bodies: readonly BranchBody<T>[],
  fork: (child: Branch) => LoopContext,
): Promise<T[]> {
  const position = branch.take();
  const children = bodies.map((_body, index) => branch.fork(position, index));
  const settled = await Promise.allSettled(bodies.map(async (body, index) => body(fork(children[index] as Branch))));
  branch.join(children);
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/**
 * Side by side until the first has settled; then the others are cut. A replay that knows the winner runs it alone: a
 * branch that loses must leave no marks but in its own results.
 */
async function runRace<T>(
  kit: AttemptKit,
  branch: Branch,
  bodies: readonly BranchBody<T>[],
  fork: (child: Branch) => LoopContext,
): Promise<{ index: number; value: T }> {
  const position = branch.take();
  const request = { branches: bodies.length };
  const digest = digestOf(request);
  const known = kit.segment().replay.at(position);
  if (known?.outcome) {
    const { outcome } = known;
    const index = await guarded(kit, branch, async () => {
      verifyCall(known, { position, kind: "race", digest, what: request });
      return Number(payloadOf(outcome)["index"]);
    });
    const winner = branch.fork(position, index);
    try {
      return { index, value: await (bodies[index] as BranchBody<T>)(fork(winner)) };
    } finally {
      branch.seen(outcome);
      branch.join([winner]);
    }
  }
  const children = bodies.map((_body, index) => branch.fork(position, index));
  const first = await Promise.race(
    bodies.map((body, index) =>
      body(fork(children[index] as Branch)).then(
        (value) => ({ index, settle: () => value }),
        (thrown: unknown) => ({
          index,
          settle: (): T => {
            throw thrown;
          },
        }),
      ),
    ),
  );
  await guarded(kit, branch, async () => {
    const records = await cutLosers(kit, position, children, first.index);
    const payload = { index: first.index };
    const won = recordOf(kit, { position, phase: "done", kind: "race", digest, payload });
    kit.goLive();
    await kit.writer.write({ records: [...records, won] });
    branch.seen(won);
    branch.join([children[first.index] as Branch]);
  });
  return { index: first.index, value: first.settle() };
}

/** Ends the losers: their effects are aborted and their children cancelled. Returns what the journal keeps of it. */
async function cutLosers(kit: AttemptKit, position: string, children: readonly Branch[], winner: number) {
  const losers = children.filter((_child, index) => index !== winner);
  const records = cutRecords(kit, (at) => losers.some((loser) => at.startsWith(loser.prefix)));
  const orphans = [...kit.openChildren].filter(([at]) => losers.some((loser) => at.startsWith(loser.prefix)));
  for (const loser of losers) loser.cut(new AstromeshError("cancelled", `Another branch of ${position} was first.`));
  for (const [at, runId] of orphans) {
    kit.openChildren.delete(at);
    await kit.children.cancel(runId);
  }
  return records;
}

/**
 * Versions stand apart from positions, so that a release may add one in the middle of a loop: a run that has come
 * past the place without one keeps the old behaviour.
 */
async function settleVersion(
  kit: AttemptKit,
  branch: Branch,
  changeId: string,
  { min, max }: { readonly min: number; readonly max: number },
): Promise<number> {
  const position = `version:${changeId}`;
  const digest = digestOf({ changeId });
  const known = kit.segment().replay.at(position)?.outcome;
  if (known) {
    const version = Number(known.payload);
    if (version >= min && version <= max) return version;
    const message = `The run uses version ${version} of ${changeId}; this release has ${min} to ${max}.`;
    throw new AstromeshError("journal_mismatch", message, { details: { changeId, version, min, max } });
  }
  const version = kit.segment().replay.reached(branch.next()) ? min : max;
  const record = recordOf(kit, { position, phase: "done", kind: "version", digest, payload: version });
  await kit.writer.write({ records: [record] });
  return version;
}
