import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Run } from "../../src/core/index.ts";
import type { RunStore, Store } from "../../src/core/ports/index.ts";
import { sampleCreate, sampleIds } from "../fakes/sample-run.ts";
import { runAppendContract } from "./run-append.contract.ts";
import { runOverviewContract } from "./run-overview.contract.ts";
import { claimAgain, claimedRun, ended, LEASE_MS, NOW, record } from "./run-steps.ts";
import { openStore } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** The contract of RunStore, held by every implementation. */
export function runStoreContract(under: StoreUnderTest): void {
  runCreateContract(under);
  runAppendContract(under);
  runOverviewContract(under);
}

/** RunStore: making runs and owning them. */
function runCreateContract(under: StoreUnderTest): void {
  describe(`run store: ${under.name}`, () => {
    let store: Store;
    let runs: RunStore;

    beforeAll(async () => {
      store = await openStore(under);
      runs = store.runs;
    });
    afterAll(() => store.stop());

    describe("create", () => {
      it("keeps every field of the run and its definition", async () => {
        const create = sampleCreate({
          input: {
            query: "Zeichne: \u0000 \ud800 \u{1f642} ''",
            images: [{ mediaType: "image/png", source: { data: "aGk=" } }],
            context: { deep: [{ a: null }] },
          },
          parentSpanId: "0123456789abcdef",
          usage: { inputTokens: 3, outputTokens: 4, costUsd: 0.000_000_123 },
          lostUsage: { inputTokens: 1, outputTokens: 0, costUsd: null },
          modelMs: 12.5,
          parentRunId: "run_parent",
          parentPosition: "3.0.1",
          depth: 1,
          output: { answer: 42 },
          error: { code: "model_timeout", message: "silent", retryable: true },
        });
        expect(await runs.create(create)).toEqual({ kind: "created" });
        expect(await runs.get(create.run.runId)).toEqual(create.run);
        expect(await runs.definition(create.definition.digest)).toEqual(create.definition);
      });

      it("says null for what it does not know", async () => {
        expect(await runs.get("run_unknown")).toBeNull();
        expect(await runs.definition("sha256:unknown")).toBeNull();
        expect(await runs.streamHead("run_unknown")).toBe(0);
        expect(await runs.requestCancel("run_unknown", NOW)).toBeNull();
        expect(await runs.journal("run_unknown")).toEqual([]);
      });

      it("makes one run of many parallel requests with one key", async () => {
        const key = { key: `k-${sampleIds.make("key")}`, bodyDigest: "body", expiresAt: NOW + 1000 };
        const creates = Array.from({ length: 8 }, () => sampleCreate({}, { idempotency: key }));
        const outcomes = await Promise.all(creates.map((create) => runs.create(create)));
        const made = outcomes.flatMap((outcome, index) => (outcome.kind === "created" ? [index] : []));
        expect(made).toHaveLength(1);
        const runId = creates[made[0] ?? 0]?.run.runId;
        expect(outcomes.filter((outcome) => outcome.kind !== "created")).toEqual(
          Array.from({ length: 7 }, () => ({ kind: "existing", runId })),
        );
      });

      it("refuses a key with another body, until the key has expired", async () => {
        const key = `k-${sampleIds.make("key")}`;
        const first = sampleCreate({}, { idempotency: { key, bodyDigest: "one", expiresAt: NOW } });
        const second = (createdAt: number) =>
          sampleCreate({ createdAt }, { idempotency: { key, bodyDigest: "two", expiresAt: NOW + 1000 } });
        await runs.create(first);
        expect(await runs.create(second(NOW - 1))).toEqual({ kind: "key_reused" });
        expect(await runs.create(second(NOW))).toEqual({ kind: "created" });
      });

      it("keeps the keys of principals apart", async () => {
        const idempotency = { key: `k-${sampleIds.make("key")}`, bodyDigest: "one", expiresAt: NOW + 1000 };
        expect(await runs.create(sampleCreate({ principalId: "ann" }, { idempotency }))).toEqual({ kind: "created" });
        expect(await runs.create(sampleCreate({ principalId: "ben" }, { idempotency }))).toEqual({ kind: "created" });
      });

      it("makes a child run once, by its id", async () => {
        const child = sampleCreate({ parentRunId: "run_p" }, { exclusiveSession: false });
        expect(await runs.create(child)).toEqual({ kind: "created" });
        expect(await runs.create(child)).toEqual({ kind: "existing", runId: child.run.runId });
      });

      it("lets one of many parallel runs into a session, and the next when it has ended", async () => {
        const sessionId = sampleIds.session();
        const creates = Array.from({ length: 6 }, () => sampleCreate({ sessionId }));
        const outcomes = await Promise.all(creates.map((create) => runs.create(create)));
        const winner = creates[outcomes.findIndex((outcome) => outcome.kind === "created")]?.run.runId ?? "";
        expect(outcomes.filter((outcome) => outcome.kind === "session_busy")).toEqual(
          Array.from({ length: 5 }, () => ({ kind: "session_busy", runId: winner })),
        );
        expect(await runs.create(sampleCreate({ sessionId, agent: "other" }))).toEqual({ kind: "created" });
        expect(await runs.create(sampleCreate({ sessionId, principalId: "ann" }))).toEqual({ kind: "created" });
        expect(await runs.create(sampleCreate({ sessionId }, { exclusiveSession: false }))).toEqual({
          kind: "created",
        });

        await runs.append(await claimAgain(runs, winner), { patch: ended });
        expect(await runs.create(sampleCreate({ sessionId }))).toEqual({ kind: "created" });
      });

      it("does not use up the idempotency key of a run that its session kept out", async () => {
        const sessionId = sampleIds.session();
        const idempotency = { key: `k-${sampleIds.make("key")}`, bodyDigest: "one", expiresAt: NOW + 1000 };
        const guard = await claimedRun(runs, { sessionId });
        const create = sampleCreate({ sessionId }, { idempotency });
        expect(await runs.create(create)).toEqual({ kind: "session_busy", runId: guard.runId });
        await runs.append(guard, { patch: ended });
        expect(await runs.create(create)).toEqual({ kind: "created" });
      });
    });

    describe("claim and fencing", () => {
      it("gives a run to exactly one of many claimants", async () => {
        const { run } = sampleCreate();
        await runs.create(sampleCreate(run));
        const claims = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            runs.claim({
              runId: run.runId,
              expectedEpoch: 0,
              ownerNodeId: `node_${index}`,
              leaseMs: LEASE_MS,
              now: NOW,
            }),
          ),
        );
        const [winner, ...others] = claims.filter((claim) => claim !== null);
        expect(others).toEqual([]);
        expect(winner).toMatchObject({ status: "running", epoch: 1, attempt: 1, leaseUntil: NOW + LEASE_MS });
        expect(await runs.get(run.runId)).toEqual(winner);
      });

      it("gives no ended run", async () => {
        const guard = await claimedRun(runs);
        await runs.append(guard, { patch: ended });
        const { runId } = guard;
        expect(
          await runs.claim({ runId, expectedEpoch: 1, ownerNodeId: "node_b", leaseMs: LEASE_MS, now: NOW }),
        ).toBeNull();
      });

      it("refuses every write of an owner that was overtaken, and keeps nothing of it", async () => {
        const old = await claimedRun(runs);
        const guard = await claimAgain(runs, old.runId, "node_b");
        const stale = expect.objectContaining({ code: "stale_epoch" });
        const event = { runId: old.runId, attempt: 1, offset: 1, at: NOW } as const;
        const token = { ...event, event: { type: "token", text: "x", thread: "main" } } as const;
        await expect(runs.append(old, { records: [record("1")], patch: { model: "m" } })).rejects.toEqual(stale);
        await expect(runs.appendStream(old, [token])).rejects.toEqual(stale);
        await expect(runs.append({ ...guard, ownerNodeId: "node_c" }, {})).rejects.toEqual(stale);
        await runs.append(guard, { patch: ended });
        await expect(runs.append(guard, {})).rejects.toEqual(stale);
        expect(await runs.journal(old.runId)).toEqual([]);
        expect(await runs.streamHead(old.runId)).toBe(0);
        expect((await runs.get(old.runId))?.model).toBeNull();
      });

      it("lets no append slip in after the claim that ended its epoch", async () => {
        for (let round = 0; round < 10; round += 1) {
          const old = await claimedRun(runs);
          const appends = Array.from({ length: 5 }, (_, index) =>
            runs.append(old, { records: [record(String(index))] }).then(
              () => true,
              () => false,
            ),
          );
          const [taken, kept] = await Promise.all([claimAgain(runs, old.runId, "node_b"), Promise.all(appends)]);
          const { headSeq } = (await runs.get(old.runId)) as Run;
          expect(headSeq).toBe(kept.filter(Boolean).length);
          expect(await runs.append(taken, { records: [record("next")] })).toBe(headSeq + 1);
        }
      });

      it("prolongs the leases of one owner's running runs", async () => {
        const owner = sampleIds.node();
        const [one, two] = [await claimedRun(runs, {}, owner), await claimedRun(runs, {}, owner)];
        const parked = await claimedRun(runs, {}, owner);
        await runs.append(parked, { patch: { status: "waiting", waitReason: "timer", wakeAt: NOW * 2 } });
        const held = await runs.renewLeases(owner, LEASE_MS, NOW + 5_000);
        expect(held.toSorted()).toEqual([one.runId, two.runId].toSorted());
        expect((await runs.get(one.runId))?.leaseUntil).toBe(NOW + 5_000 + LEASE_MS);
        expect((await runs.get(parked.runId))?.leaseUntil).toBeNull();
      });
    });
  });
}
