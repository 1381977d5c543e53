import { describe, expect, it } from "vitest";

import type { Run } from "../../src/core/index.ts";
import type { RunPatch, RunStore } from "../../src/core/ports/index.ts";
import { sampleCreate, sampleDefinition, sampleIds } from "../fakes/sample-run.ts";
import { claimAgain, claimedRun, ended, LEASE_MS, NOW, record } from "./run-steps.ts";
import { openStore } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** What is said over all runs: each test has a store of its own. */
export function runOverviewContract(under: StoreUnderTest): void {
  describe(`run store, all runs: ${under.name}`, () => {
    async function withStore(work: (runs: RunStore) => Promise<void>): Promise<void> {
      const store = await openStore(under);
      try {
        await work(store.runs);
      } finally {
        await store.stop();
      }
    }

    it("finds what is due, oldest first, and when the next run wakes", () =>
      withStore(async (runs) => {
        expect(await runs.due(NOW, 10)).toEqual([]);
        expect(await runs.nextWakeAt()).toBeNull();
        const park = async (createdAt: number, patch: RunPatch) => {
          const guard = await claimedRun(runs, { createdAt });
          await runs.append(guard, { patch: { status: "waiting", ...patch } });
          return guard.runId;
        };
        const queued = sampleCreate({ createdAt: 5 });
        await runs.create(queued);
        const held = await claimedRun(runs, { createdAt: 4 });
        const woken = await park(3, { wakeAt: NOW + 10, waitDeadlineAt: NOW + 20 });
        const late = await park(2, { wakeAt: null, waitDeadlineAt: NOW + 15 });
        await park(1, { wakeAt: null, waitDeadlineAt: null });
        const over = await claimedRun(runs, { createdAt: 0 });
        await runs.append(over, { patch: ended });

        const due = async (now: number, limit = 10) => (await runs.due(now, limit)).map(({ runId }) => runId);
        expect(await due(NOW)).toEqual([queued.run.runId]);
        expect(await runs.nextWakeAt()).toBe(NOW + 10);
        expect(await due(NOW + 10)).toEqual([woken, queued.run.runId]);
        expect(await due(NOW + 20)).toEqual([late, woken, queued.run.runId]);
        expect(await due(NOW + 20, 2)).toEqual([late, woken]);
        expect(await due(NOW + LEASE_MS)).toEqual([late, woken, held.runId, queued.run.runId]);

        await claimAgain(runs, woken);
        expect(await runs.nextWakeAt()).toBe(NOW + 15);
        await claimAgain(runs, late);
        expect(await runs.nextWakeAt()).toBeNull();
      }));

    it("lists by filter, newest first, in pages, and counts by status", () =>
      withStore(async (runs) => {
        const sessionId = "s \u0000";
        const traceId = sampleIds.trace();
        const fields: Partial<Run>[] = [{}, { agent: "b" }, { sessionId }, { principalId: "ann" }, { traceId }];
        const creates = [...fields, { parentRunId: "run_p" }].map((field) => sampleCreate(field));
        for (const create of creates) await runs.create(create);
        const ids = creates.map(({ run }) => run.runId);
        const list = async (filter: object) => (await runs.list({ limit: 10, ...filter })).map(({ runId }) => runId);
        expect(await list({})).toEqual(ids.toReversed());
        expect(await list({ limit: 2, before: ids[3] })).toEqual([ids[2], ids[1]]);
        expect(await list({ agent: "b" })).toEqual([ids[1]]);
        expect(await list({ sessionId })).toEqual([ids[2]]);
        expect((await runs.get(ids[2] ?? ""))?.sessionId).toBe(sessionId);
        expect(await list({ principalId: "ann" })).toEqual([ids[3]]);
        expect(await list({ traceId })).toEqual([ids[4]]);
        expect(await list({ parentRunId: "run_p" })).toEqual([ids[5]]);
        expect(await list({ agent: "b", principalId: "ann" })).toEqual([]);

        const guard = await claimAgain(runs, ids[0] ?? "");
        expect(await list({ status: "running" })).toEqual([ids[0]]);
        expect(await runs.count()).toEqual({
          queued: 5,
          running: 1,
          waiting: 0,
          completed: 0,
          failed: 0,
          cancelled: 0,
        });
        await runs.append(guard, { patch: { status: "cancelled", stopReason: "cancelled", endedAt: NOW } });
        expect(await runs.count()).toMatchObject({ running: 0, cancelled: 1 });
      }));

    it("drops ended runs by age and by count, with all that is theirs, and leaves live ones", () =>
      withStore(async (runs) => {
        const end = async (endedAt: number, digest: string) => {
          const guard = await claimedRun(runs, { definitionDigest: digest });
          await runs.signal({
            signalId: sampleIds.make("sig"),
            runId: guard.runId,
            name: "n",
            payload: 1,
            sender: "a",
            at: 1,
          });
          const event = { type: "token", text: "x", thread: "main" } as const;
          await runs.append(guard, {
            records: [record("0", { payload: "x".repeat(70_000) })],
            messages: [{ thread: "main", index: 0, message: { role: "user", text: "Hi" } }],
            stream: [{ runId: guard.runId, attempt: 1, offset: 1, at: NOW, event }],
            patch: { ...ended, endedAt },
          });
          return guard.runId;
        };
        const old = await end(NOW - 100, "sha256:old");
        const kept = [await end(NOW - 30, "sha256:kept"), await end(NOW - 20, "sha256:kept")];
        const surplus = await end(NOW - 40, "sha256:kept");
        const live = await claimedRun(runs, { createdAt: 1 });
        const later = NOW + 7_200_000;

        const retention = { runsMs: later - NOW + 100, runsCount: 2, streamsMs: later - NOW + 25 };
        const dropped = await runs.sweep(retention, later);
        expect(dropped).toMatchObject({
          runs: 2,
          journal: 2,
          messages: 2,
          blobs: 2,
          signals: 2,
          stream: 3,
          run_texts: 2,
        });
        expect(dropped["definitions"]).toBe(1);
        expect(await runs.get(old)).toBeNull();
        expect(await runs.get(surplus)).toBeNull();
        expect(await runs.journal(old)).toEqual([]);
        expect(await runs.definition("sha256:old")).toBeNull();
        expect(await runs.definition("sha256:kept")).not.toBeNull();
        expect(await runs.get(live.runId)).not.toBeNull();
        expect(await Promise.all(kept.map((runId) => runs.readStream(runId, 0, 9)))).toMatchObject([
          [],
          [{ offset: 1 }],
        ]);
        expect(await Promise.all(kept.map((runId) => runs.streamHead(runId)))).toEqual([0, 1]);
        expect(await runs.append(live, { records: [record("0")] })).toBe(1);
        const again = await runs.sweep(retention, later);
        expect(Object.values(again).every((rows) => rows === 0)).toBe(true);
      }));

    it("drops more runs than one pass takes", () =>
      withStore(async (runs) => {
        await Promise.all(
          Array.from({ length: 230 }, async () => {
            await runs.append(await claimedRun(runs), { patch: ended });
          }),
        );
        const dropped = await runs.sweep({ runsMs: 1, runsCount: 10, streamsMs: 1 }, NOW + 1);
        expect(dropped).toMatchObject({ runs: 230 });
        expect(await runs.list({ limit: 1 })).toEqual([]);
      }));

    it("drops expired idempotency keys", () =>
      withStore(async (runs) => {
        const idempotency = { key: "k", bodyDigest: "one", expiresAt: NOW };
        await runs.create(sampleCreate({}, { idempotency }));
        expect(await runs.sweep({ runsMs: 1, runsCount: 1, streamsMs: 1 }, NOW - 1)).toMatchObject({ idempotency: 0 });
        expect(await runs.sweep({ runsMs: 1, runsCount: 1, streamsMs: 1 }, NOW)).toMatchObject({ idempotency: 1 });
      }));

    it("pins a run to a definition that is dropped at the same time", () =>
      withStore(async (runs) => {
        const definition = sampleDefinition("greeter", "sha256:shared");
        const later = NOW + 10 * 3_600_000;
        for (let round = 0; round < 5; round += 1) {
          const create = sampleCreate(
            { definitionDigest: definition.digest, createdAt: later + round * 10 * 3_600_000 },
            { definition },
          );
          const now = create.run.createdAt;
          await Promise.all([runs.sweep({ runsMs: 1, runsCount: 0, streamsMs: 1 }, now), runs.create(create)]);
          expect(await runs.definition(definition.digest)).not.toBeNull();
          await runs.append(await claimAgain(runs, create.run.runId), { patch: { ...ended, endedAt: now } });
        }
      }));
  });
}
