import type { Run } from "../../src/core/index.ts";
import type { NewRecord, RunGuard, RunPatch, RunStore } from "../../src/core/ports/index.ts";
import { sampleCreate } from "../fakes/sample-run.ts";

/** When the tests take place. */
export const NOW = 1_700_000_100_000;
export const LEASE_MS = 15_000;

/** A record of an effect at a position. */
export function record(position: string, fields: Partial<NewRecord> = {}): NewRecord {
  return {
    segment: 0,
    position,
    phase: "done",
    kind: "tool",
    effectClass: "once",
    inputDigest: "sha256:input",
    payload: { ok: true },
    attempt: 1,
    at: NOW,
    ...fields,
  };
}

/** Creates a run and claims it. */
export async function claimedRun(runs: RunStore, fields: Partial<Run> = {}, ownerNodeId = "node_a"): Promise<RunGuard> {
  const create = sampleCreate(fields);
  await runs.create(create);
  return claimAgain(runs, create.run.runId, ownerNodeId);
}

/** Claims a run in whatever epoch it is. */
export async function claimAgain(runs: RunStore, runId: string, ownerNodeId = "node_a"): Promise<RunGuard> {
  const expectedEpoch = (await runs.get(runId))?.epoch ?? 0;
  const run = await runs.claim({ runId, expectedEpoch, ownerNodeId, leaseMs: LEASE_MS, now: NOW });
  if (run === null) throw new Error(`Run ${runId} could not be claimed.`);
  return { runId, ownerNodeId, epoch: run.epoch };
}

/** What ends a run. */
export const ended = { status: "completed", stopReason: "end", endedAt: NOW } satisfies RunPatch;
