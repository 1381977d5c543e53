import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMortalStore } from "../../test/fakes/mortal-store.ts";
import { answering, askOnce, countingTool, createLab, openLabStore, withLab } from "../../test/fakes/run-lab.ts";
import type { LabParts } from "../../test/fakes/run-lab.ts";
import { until } from "../../test/fakes/until.ts";
import { AstromeshError } from "../core/index.ts";
import type { LoopContext } from "../core/index.ts";
import type { RunStore, Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

const useTool = (name: string) =>
  answering(async (context: LoopContext) => {
    const call = { id: "c", name, arguments: {} };
    return (await context.effect({ kind: "tool", thread: "m", index: 0, call })).ok;
  });

/** A tool that works until the test lets it, and says whether it was stopped. */
function heldTool(effect: "read" | "once" = "read") {
  let let_go = (): void => {};
  const held = new Promise<void>((resolve) => {
    let_go = resolve;
  });
  const state = { working: 0, aborted: 0 };
  const tool = countingTool("held", effect, async (_args, { signal }) => {
    state.working += 1;
    signal.addEventListener("abort", () => (state.aborted += 1));
    await held;
    return { ok: true, data: "done" };
  });
  return { tool, state, release: () => let_go() };
}

describe("an owner", () => {
  it("writes nothing more when another node has taken its run", async () => {
    const { tool, state, release } = heldTool();
    const parts: LabParts = { store: store.runs, pattern: useTool("held"), tools: [tool] };
    await withLab({ ...parts, nodeId: "node_old", options: { leaseRenewMs: 20 } }, async (lab) => {
      const { runId } = await lab.submit();
      await until("the tool to work", () => state.working === 1);
      const row = await store.runs.get(runId);
      const taken = await store.runs.claim({
        runId,
        expectedEpoch: row?.epoch ?? 0,
        ownerNodeId: "node_new",
        leaseMs: 60_000,
        now: Date.now(),
      });
      expect(taken).toMatchObject({ epoch: 2, attempt: 2, ownerNodeId: "node_new" });
      await until("the old owner to notice", () => lab.engine.status().active === 0);
      release();
      expect(await store.runs.get(runId)).toMatchObject({ status: "running", ownerNodeId: "node_new" });
      expect((await store.runs.journal(runId)).filter(({ phase }) => phase === "done")).toEqual([]);
    });
  });

  it("stops before its lease ends when it cannot renew it, and another goes on", async () => {
    const clock = createFakeClock();
    const { tool, state } = heldTool();
    let cut = false;
    const flaky = new Proxy(store.runs, {
      get: (target, name: keyof RunStore) =>
        name === "renewLeases" && cut
          ? () => Promise.reject(new AstromeshError("store_unavailable", "no route to the database"))
          : target[name].bind(target as never),
    });
    const lost: string[] = [];
    const lab = createLab({
      store: flaky,
      clock,
      pattern: useTool("held"),
      tools: [{ ...tool, timeoutMs: 600_000 }],
      observer: { attemptLost: (_run, code) => lost.push(code) },
    });
    lab.engine.start();
    const { runId } = await lab.submit();
    const begun = clock.now();
    await until("the tool to work", () => state.working === 1);
    await clock.advance(5_000);
    await until("the renewal", async () => (await store.runs.get(runId))?.leaseUntil === begun + 20_000);
    cut = true;
    await clock.advance(14_000);
    expect(lost).toEqual([]);
    await clock.advance(2_000);
    await until("the attempt to stop", () => lost.length === 1);
    expect(lost).toEqual(["stale_epoch"]);
    expect(state.aborted).toBe(1);
    // Its lease is over, so whoever asks the store for due runs takes it: here the same node.
    await until("the next attempt", async () => {
      await clock.advance(50);
      return state.working === 2;
    });
    expect(await store.runs.get(runId)).toMatchObject({ attempt: 2, epoch: 2 });
    const stopped = lab.engine.stop({ graceMs: 0 });
    await clock.advance(10_000);
    await stopped;
  });

  it("waits out a store in trouble, and performs nothing twice", async () => {
    const tool = countingTool("t", "once");
    let failures = 6;
    const flaky = new Proxy(store.runs, {
      get: (target, name: keyof RunStore) =>
        name === "append" && (failures -= 1) > 0
          ? () => Promise.reject(new AstromeshError("store_full", "no space left on the device"))
          : target[name].bind(target as never),
    });
    await withLab({ store: flaky, pattern: useTool("t"), tools: [tool] }, async (lab) => {
      const run = await lab.ended((await lab.submit()).runId);
      expect(run).toMatchObject({ status: "completed", attempt: 1 });
      expect([...tool.executions.values()]).toEqual([1]);
    });
  });

  it("looks a write up whose answer got lost, instead of writing it twice", async () => {
    let drops = 3;
    const flaky = new Proxy(store.runs, {
      get: (target, name: keyof RunStore) =>
        name === "append"
          ? async (...args: Parameters<RunStore["append"]>) => {
              const head = await target.append(...args);
              if ((drops -= 1) >= 0) throw new AstromeshError("store_unavailable", "the connection was cut");
              return head;
            }
          : target[name].bind(target as never),
    });
    const tool = countingTool("t", "once");
    await withLab({ store: flaky, pattern: useTool("t"), tools: [tool] }, async (lab) => {
      const { runId } = await lab.submit();
      expect(await lab.ended(runId)).toMatchObject({ status: "completed", attempt: 1 });
      const places = (await lab.journal(runId)).map(({ position, phase }) => `${position} ${phase}`);
      expect(places).toEqual(["0 intent", "0 done", "1 done"]);
      expect((await lab.events(runId)).map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
    });
  });
});

describe("a run that kills its node", () => {
  it("is quarantined when three attempts in a row journaled nothing new", async () => {
    const quarantined: string[] = [];
    const { tool, state } = heldTool();
    const parts: LabParts = { store: store.runs, pattern: useTool("held"), tools: [tool] };
    let runId = "";
    // The first attempt writes the intent; the next three come no further.
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const mortal = createMortalStore(store.runs, null);
      const lab = createLab({ ...parts, store: mortal.store });
      lab.engine.start();
      if (attempt === 1) ({ runId } = await lab.submit());
      await until("the tool to work", () => state.working === attempt);
      mortal.kill();
    }
    const observer = { quarantined: ({ runId: id }: { runId: string }) => void quarantined.push(id) };
    await withLab({ ...parts, observer }, async (lab) => {
      expect(await lab.ended(runId)).toMatchObject({
        status: "failed",
        stopReason: "poison",
        error: { code: "run_poison" },
        attempt: 5,
      });
      expect(state.working).toBe(4);
      expect(quarantined).toEqual([runId]);
      expect((await lab.events(runId)).at(-1)?.event).toMatchObject({ type: "error", error: { code: "run_poison" } });
    });
  });
});

describe("a journal of other code", () => {
  it("fails the run with the difference, and the loop cannot catch it", async () => {
    const { tool, state } = heldTool();
    const mortal = createMortalStore(store.runs, null);
    const before = createLab({ store: mortal.store, pattern: useTool("held"), tools: [tool] });
    before.engine.start();
    const { runId } = await before.submit();
    await until("the tool to work", () => state.working === 1);
    mortal.kill();
    const changed = answering(async (context) => {
      await context.sleep(1).catch(() => {});
      return "went on";
    });
    await withLab({ store: store.runs, pattern: changed }, async (lab) => {
      expect(await lab.ended(runId)).toMatchObject({
        status: "failed",
        error: {
          code: "journal_mismatch",
          details: { position: "0", journaled: { kind: "tool", about: { tool: "held" } }, asked: { kind: "timer" } },
        },
      });
    });
  });

  it("is left alone when a newer release wrote it", async () => {
    const warnings: string[] = [];
    await withLab({ store: store.runs, pattern: askOnce, nodeId: "node_strict" }, async (lab) => {
      const { runId } = await lab.submit();
      const row = await lab.ended(runId);
      const future = { ...row, runId: lab.ids.run(), journalFormat: 99, status: "queued", endedAt: null } as const;
      const definition = await store.runs.definition(row.definitionDigest);
      if (definition === null) throw new Error("the definition is gone");
      const run = { ...future, sessionId: lab.ids.session(), epoch: 0, attempt: 0, headSeq: 0 };
      await store.runs.create({ run, definition, idempotency: null, exclusiveSession: false });
      const next = await lab.ended((await lab.submit()).runId);
      expect(next.status).toBe("completed");
      expect(await store.runs.get(run.runId)).toMatchObject({ status: "queued", attempt: 0 });
      await store.runs.requestCancel(run.runId, Date.now());
      warnings.push(run.runId);
    });
    expect(warnings).toHaveLength(1);
  });
});
