import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Message } from "../../src/core/index.ts";
import type { RunGuard, RunStore, Store } from "../../src/core/ports/index.ts";
import { sampleIds } from "../fakes/sample-run.ts";
import { claimAgain, claimedRun, ended, NOW, record } from "./run-steps.ts";
import { openStore } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** RunStore: the steps of a run. */
export function runAppendContract(under: StoreUnderTest): void {
  describe(`run store, steps: ${under.name}`, () => {
    let store: Store;
    let runs: RunStore;

    beforeAll(async () => {
      store = await openStore(under);
      runs = store.runs;
    });
    afterAll(() => store.stop());

    describe("append", () => {
      it("writes a step as a whole and counts the journal", async () => {
        const guard = await claimedRun(runs);
        const messages = [
          { thread: "main", index: 0, message: { role: "user", text: "Hi" } },
          { thread: "main", index: 1, message: { role: "assistant", text: "Hello" } },
        ] as const;
        expect(await runs.append(guard, { records: [record("0", { phase: "intent" })] })).toBe(1);
        expect(
          await runs.append(guard, {
            records: [record("0"), record("1", { payload: null, effectClass: null, inputDigest: null })],
            messages,
            patch: { usage: { inputTokens: 5, outputTokens: 6, costUsd: 0.25 }, model: "m", provider: "p" },
          }),
        ).toBe(3);
        const journal = await runs.journal(guard.runId);
        expect(journal.map(({ seq, position, phase }) => [seq, position, phase])).toEqual([
          [1, "0", "intent"],
          [2, "0", "done"],
          [3, "1", "done"],
        ]);
        expect(journal[2]).toEqual({
          ...record("1", { payload: null, effectClass: null, inputDigest: null }),
          seq: 3,
        });
        expect(await runs.thread(guard.runId, "main", 0, 10)).toEqual(messages.map(({ message }) => message));
        expect(await runs.thread(guard.runId, "main", 1, 2)).toEqual([messages[1].message]);
        expect(await runs.get(guard.runId)).toMatchObject({
          headSeq: 3,
          model: "m",
          provider: "p",
          usage: { inputTokens: 5, outputTokens: 6, costUsd: 0.25 },
        });
      });

      it("refuses a second record at one place, with the whole step", async () => {
        const guard = await claimedRun(runs);
        await runs.append(guard, { records: [record("0")] });
        await expect(
          runs.append(guard, { records: [record("1"), record("0")], patch: { model: "m" } }),
        ).rejects.toMatchObject({ code: "journal_mismatch" });
        expect(await runs.journal(guard.runId)).toHaveLength(1);
        expect(await runs.get(guard.runId)).toMatchObject({ headSeq: 1, model: null });
        // The same position in the next segment is another place.
        expect(await runs.append(guard, { records: [record("0", { segment: 1 })] })).toBe(2);
        expect(await runs.journal(guard.runId, 1)).toHaveLength(1);
      });

      it("keeps large payloads, messages and answers whole", async () => {
        const guard = await claimedRun(runs);
        const large = "\u{1f642}ß\n".repeat(30_000);
        const message: Message = { role: "tool", toolCallId: "c", toolName: "t", ok: true, text: large };
        await runs.append(guard, {
          records: [record("0", { payload: { large } }), record("1", { payload: { large } })],
          messages: [{ thread: "main", index: 0, message }],
        });
        await runs.append(guard, { patch: { ...ended, response: large, output: { large } } });
        expect((await runs.journal(guard.runId)).map(({ payload }) => payload)).toEqual([{ large }, { large }]);
        expect(await runs.thread(guard.runId, "main", 0, 1)).toEqual([message]);
        expect(await runs.get(guard.runId)).toMatchObject({ response: large, output: { large } });
      });

      it("replaces a message that is said again at its place", async () => {
        const guard = await claimedRun(runs);
        const say = (text: string) => ({ thread: "t", index: 0, message: { role: "user", text } as const });
        await runs.append(guard, { messages: [say("x".repeat(70_000))] });
        await runs.append(guard, { messages: [say("two")] });
        expect(await runs.thread(guard.runId, "t", 0, 1)).toEqual([{ role: "user", text: "two" }]);
      });

      it("frees the run with its end, together with the last events", async () => {
        const guard = await claimedRun(runs);
        const done = {
          runId: guard.runId,
          attempt: 1,
          offset: 1,
          at: NOW,
          event: {
            type: "done",
            status: "completed",
            stopReason: "end",
            response: "Hi\u0000",
            usage: { inputTokens: 0, outputTokens: 0, costUsd: null },
          },
        } as const;
        const error = { code: "tool_failed", message: "\ud83d", retryable: false } as const;
        await runs.append(guard, { patch: { ...ended, response: "Hi\u0000", error }, stream: [done] });
        expect(await runs.get(guard.runId)).toMatchObject({
          ...ended,
          response: "Hi\u0000",
          error,
          ownerNodeId: null,
          leaseUntil: null,
          epoch: 1,
        });
        expect(await runs.readStream(guard.runId, 0, 10)).toEqual([done]);
      });

      it("hands a run back to the queue", async () => {
        const guard = await claimedRun(runs);
        await runs.append(guard, { patch: { status: "queued" } });
        expect(await runs.get(guard.runId)).toMatchObject({ status: "queued", ownerNodeId: null, leaseUntil: null });
      });
    });

    describe("signals and parking", () => {
      const send = (runId: string, name = "approved", signalId: string = sampleIds.make("sig")) =>
        runs.signal({ signalId, runId, name, payload: { by: "\u0000ann" }, sender: "ann", at: NOW });
      const park = (guard: RunGuard, names: readonly string[]) =>
        runs.append(guard, {
          patch: { status: "waiting", waitReason: "signal", waitDeadlineAt: NOW * 2 },
          unlessSignalled: names,
        });
      const statusOf = async (runId: string) => (await runs.get(runId))?.status;

      it("wakes a waiting run, once per signal, and keeps the signal until a step uses it up", async () => {
        const guard = await claimedRun(runs);
        await park(guard, ["approved"]);
        expect(await statusOf(guard.runId)).toBe("waiting");
        const signalId = sampleIds.make("sig");
        expect(await send(guard.runId, "approved", signalId)).toBe(true);
        expect(await statusOf(guard.runId)).toBe("queued");
        const [signal, ...more] = await runs.signals(guard.runId);
        expect(more).toEqual([]);
        expect(signal).toEqual({
          signalId,
          runId: guard.runId,
          name: "approved",
          payload: { by: "\u0000ann" },
          sender: "ann",
          at: NOW,
        });

        const next = await claimAgain(runs, guard.runId);
        await runs.append(next, { consumeSignals: [signalId], records: [record("0")] });
        expect(await runs.signals(guard.runId)).toEqual([]);
        await park(next, ["approved"]);
        expect(await send(guard.runId, "approved", signalId)).toBe(true);
        expect(await statusOf(guard.runId)).toBe("waiting");
      });

      it("does not park over a signal that is there, unless this step uses it up or it has another name", async () => {
        const guard = await claimedRun(runs);
        await send(guard.runId, "other", "sig_other");
        await park(guard, ["approved"]);
        expect(await statusOf(guard.runId)).toBe("waiting");
        await send(guard.runId, "approved", "sig_approved");
        const second = await claimAgain(runs, guard.runId);
        await park(second, ["approved"]);
        expect(await runs.get(guard.runId)).toMatchObject({ status: "queued", ownerNodeId: null });
        const third = await claimAgain(runs, guard.runId);
        await runs.append(third, {
          patch: { status: "waiting", waitReason: "signal" },
          unlessSignalled: ["approved"],
          consumeSignals: ["sig_approved"],
        });
        expect(await statusOf(guard.runId)).toBe("waiting");
      });

      it("loses no wake-up between parking and signalling", async () => {
        const guards = await Promise.all(Array.from({ length: 20 }, () => claimedRun(runs)));
        await Promise.all(guards.flatMap((guard) => [park(guard, ["approved"]), send(guard.runId)]));
        expect(await Promise.all(guards.map(({ runId }) => statusOf(runId)))).toEqual(guards.map(() => "queued"));
      });

      it("refuses signals to runs that are unknown or have ended", async () => {
        expect(await send("run_unknown")).toBe(false);
        const guard = await claimedRun(runs);
        await runs.append(guard, { patch: ended });
        expect(await send(guard.runId)).toBe(false);
      });

      it("lists signals oldest first", async () => {
        const guard = await claimedRun(runs);
        for (const at of [3, 1, 2]) {
          await runs.signal({ signalId: `s${at}`, runId: guard.runId, name: "n", payload: at, sender: "a", at });
        }
        expect((await runs.signals(guard.runId)).map(({ payload }) => payload)).toEqual([1, 2, 3]);
      });

      it("notes the first wish to cancel, wakes a waiting run and lets it park no more", async () => {
        const guard = await claimedRun(runs);
        expect(await runs.requestCancel(guard.runId, NOW)).toMatchObject({
          status: "running",
          cancelRequestedAt: NOW,
        });
        await runs.append(guard, { patch: { status: "waiting", waitReason: "timer", wakeAt: NOW * 2 } });
        expect(await statusOf(guard.runId)).toBe("queued");

        const parked = await claimedRun(runs);
        await park(parked, []);
        expect(await runs.requestCancel(parked.runId, NOW)).toMatchObject({
          status: "queued",
          cancelRequestedAt: NOW,
        });
        expect(await runs.requestCancel(parked.runId, NOW + 1)).toMatchObject({ cancelRequestedAt: NOW });

        const gone = await claimedRun(runs);
        await runs.append(gone, { patch: ended });
        expect(await runs.requestCancel(gone.runId, NOW)).toMatchObject({
          status: "completed",
          cancelRequestedAt: null,
        });
      });
    });

    describe("streams", () => {
      it("reads events in order from any offset, over batches and attempts", async () => {
        const guard = await claimedRun(runs);
        const event = (offset: number) =>
          ({
            runId: guard.runId,
            attempt: 1,
            offset,
            at: NOW,
            event: { type: "token", text: String(offset), thread: "main" },
          }) as const;
        for (let first = 1; first <= 199; first += 3) {
          await runs.appendStream(guard, [event(first), event(first + 1), event(first + 2)]);
        }
        const offsets = async (after: number, limit: number) =>
          (await runs.readStream(guard.runId, after, limit)).map(({ offset }) => offset);
        expect(await runs.streamHead(guard.runId)).toBe(201);
        expect(await offsets(0, 2)).toEqual([1, 2]);
        expect(await offsets(4, 3)).toEqual([5, 6, 7]);
        expect(await offsets(199, 50)).toEqual([200, 201]);
        expect(await offsets(0, 1000)).toEqual(Array.from({ length: 201 }, (_, index) => index + 1));
        expect(await offsets(201, 10)).toEqual([]);
        await runs.appendStream(guard, []);
        expect(await runs.streamHead(guard.runId)).toBe(201);
        await expect(runs.appendStream(guard, [event(199)])).rejects.toMatchObject({ code: "journal_mismatch" });
        expect(await runs.streamHead(guard.runId)).toBe(201);
      });
    });

    describe("effect keys", () => {
      it("reserves a key for one place and tells the others whose it is", async () => {
        const key = { tool: "pay", principalId: "ann", key: `{"to":"\u0000\ud800"} ${sampleIds.make("k")}` };
        const [one, two] = [await claimedRun(runs), await claimedRun(runs)];
        const reserve = (guard: RunGuard, position: string) =>
          runs.reserveEffectKey({ ...key, runId: guard.runId, position, expiresAt: Date.now() + 60_000 });
        const outcomes = await Promise.all([reserve(one, "1"), reserve(two, "1")]);
        const [mine, theirs] = outcomes[0]?.kind === "reserved" ? [one, two] : [two, one];
        expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(["reserved", "taken"]);
        expect(await reserve(mine, "1")).toEqual({ kind: "reserved" });
        expect(await reserve(mine, "2")).toMatchObject({ kind: "taken", runId: mine.runId, position: "1" });

        await runs.append(theirs, { completeEffectKey: { ...key, result: "not mine" } });
        expect(await reserve(theirs, "1")).toEqual({
          kind: "taken",
          runId: mine.runId,
          position: "1",
          result: undefined,
        });
        await runs.append(mine, { records: [record("1")], completeEffectKey: { ...key, result: null } });
        expect(await reserve(theirs, "1")).toEqual({ kind: "taken", runId: mine.runId, position: "1", result: null });
      });

      it("forgets a key when its window is over", async () => {
        const key = { tool: "pay", principalId: "ann", key: sampleIds.make("k") };
        const [one, two] = [await claimedRun(runs), await claimedRun(runs)];
        await runs.reserveEffectKey({ ...key, runId: one.runId, position: "1", expiresAt: Date.now() - 1 });
        expect(
          await runs.reserveEffectKey({ ...key, runId: two.runId, position: "1", expiresAt: Date.now() + 60_000 }),
        ).toEqual({ kind: "reserved" });
      });
    });
  });
}
