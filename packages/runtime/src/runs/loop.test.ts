import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createHastyClock } from "../../test/fakes/hasty-clock.ts";
import { answering, countingTool, createLab, openLabStore, withLab } from "../../test/fakes/run-lab.ts";
import type { Lab, LabParts } from "../../test/fakes/run-lab.ts";
import { until } from "../../test/fakes/until.ts";
import { AstromeshError, isJsonObject, LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Json, LoopContext, Pattern } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

function inLab<T>(parts: Partial<LabParts> & Pick<LabParts, "pattern">, body: (lab: Lab) => Promise<T>): Promise<T> {
  return withLab({ store: store.runs, ...parts }, body);
}

async function answerOf(parts: Partial<LabParts> & Pick<LabParts, "pattern">): Promise<Json> {
  return inLab(parts, async (lab) => {
    const run = await lab.ended((await lab.submit()).runId);
    if (run.error !== null) throw new AstromeshError(run.error.code, run.error.message);
    return JSON.parse(run.response ?? "null") as Json;
  });
}

const tool = (context: LoopContext, name: string, index = 0) =>
  context.effect({ kind: "tool", thread: "m", index, call: { id: `c${index}`, name, arguments: {} } });

describe("signals", () => {
  it("are received whenever they come: before the wait, while it parks, or long after", async () => {
    const pattern = answering(async (context) => {
      const received: Json[] = [];
      for (let count = 0; count < 3; count += 1) {
        const outcome = await context.waitSignal("go", 60_000);
        received.push(outcome.kind === "received" ? outcome.payload : null);
      }
      return received;
    });
    await inLab({ pattern }, (lab) =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 3, maxLength: 3 }), async (pauses) => {
          const { runId } = await lab.submit();
          for (const [index, turns] of pauses.entries()) {
            for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
            // Sent twice with one id: it is one signal.
            const signal = { name: "go", payload: index, signalId: `s${index}` };
            await Promise.all([1, 2].map(() => lab.engine.signal(runId, LOCAL_PRINCIPAL, signal)));
          }
          const run = await lab.ended(runId);
          expect(JSON.parse(run.response ?? "")).toEqual([0, 1, 2]);
          expect(await store.runs.signals(runId)).toEqual([]);
        }),
        { numRuns: 40 },
      ),
    );
  });

  it("time out", async () => {
    const pattern = answering(async (context) => (await context.waitSignal("go", 20)).kind);
    expect(await answerOf({ pattern, options: { pollMs: 10 } })).toBe("timeout");
  });

  it("of a name that nobody waits for do not disturb", () =>
    inLab({ pattern: answering(async (context) => (await context.waitSignal("go", 60_000)).kind) }, async (lab) => {
      const { runId } = await lab.submit();
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, { name: "other", payload: null, signalId: null });
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, { name: "go", payload: null, signalId: null });
      expect((await lab.ended(runId)).response).toBe('"received"');
    }));
});

describe("timers", () => {
  it("fire at their time, not before, and only once after a node that slept over it", async () => {
    const clock = createFakeClock();
    const work = countingTool("t", "once");
    const pattern = answering(async (context) => {
      await context.sleep(90_000);
      return (await tool(context, "t")).ok;
    });
    const parts: LabParts = { store: store.runs, clock, pattern, tools: [work], options: { pollMs: 30_000 } };
    const first = createLab(parts);
    first.engine.start();
    const { runId } = await first.submit();
    await until("the run to park", async () => (await store.runs.get(runId))?.status === "waiting");
    await clock.advance(89_000);
    expect(await store.runs.get(runId)).toMatchObject({ status: "waiting", waitReason: "timer" });
    await first.engine.stop({ graceMs: 0 });
    await clock.advance(60_000);
    const second = createLab(parts);
    second.engine.start();
    const run = await until("the run to end", async () => {
      const row = await store.runs.get(runId);
      return row?.endedAt !== null && row;
    });
    expect(run).toMatchObject({ status: "completed", attempt: 2 });
    expect([...work.executions.values()]).toEqual([1]);
    await second.engine.stop({ graceMs: 0 });
  });
});

describe("children", () => {
  it("give their answer to the parent, in one trace, and only so deep", async () => {
    const down: Pattern = answering(async (context) => {
      const depth = Number(context.input.query);
      const outcome = await context
        .child({ agent: "down", query: String(depth + 1), sessionId: null })
        .catch((error: AstromeshError) => ({ response: JSON.stringify(error.message) }));
      return { depth, below: JSON.parse(outcome.response) as Json };
    });
    await inLab({ pattern: down, agents: { down }, options: { maxDepth: 2 } }, async (lab) => {
      const run = await lab.ended((await lab.submit({ query: "0" })).runId);
      expect(JSON.parse(run.response ?? "")).toEqual({
        depth: 0,
        below: { depth: 1, below: { depth: 2, below: "Runs may start runs 2 deep; down would be deeper." } },
      });
      const timeline = await lab.engine.timeline(run.traceId, LOCAL_PRINCIPAL);
      expect(timeline.runs).toHaveLength(3);
      const spans = new Map(timeline.spans.map((span) => [span.spanId, span]));
      for (const span of timeline.spans.filter(({ kind, runId }) => kind === "run" && runId !== run.runId)) {
        expect(spans.get(span.parentSpanId ?? "")).toMatchObject({ kind: "child", name: "down" });
      }
    });
  });

  it("of unknown agents are an error that the loop may catch", async () => {
    const pattern = answering((context) =>
      context.child({ agent: "nobody", query: "", sessionId: null }).then(
        () => "found",
        (error: AstromeshError) => error.code,
      ),
    );
    expect(await answerOf({ pattern })).toBe("agent_not_found");
  });
});

describe("branches", () => {
  it("of all: results in order; of several rejections the first in order, after all have settled", async () => {
    let quickDone = (): void => {};
    const afterQuick = new Promise<void>((resolve) => {
      quickDone = resolve;
    });
    const slow = countingTool("slow", "read", () => afterQuick.then(() => ({ ok: true, data: 1 })));
    const quick = countingTool("quick", "read", async () => {
      quickDone();
      return { ok: true, data: 2 };
    });
    const pattern = answering(async (context) => {
      const results = await context.all<Json>([
        async (branch) => (await tool(branch, "slow", 0)).index,
        async (branch) => (await tool(branch, "quick", 1)).index,
      ]);
      const failed = await context
        .all([
          async (branch) => {
            await tool(branch, "slow", 2);
            throw new AstromeshError("run_failed", "first");
          },
          async () => {
            throw new AstromeshError("run_failed", "second");
          },
        ])
        .catch((error: AstromeshError) => error.message);
      return { results, failed: failed as Json };
    });
    expect(await answerOf({ pattern, tools: [slow, quick] })).toEqual({ results: [0, 1], failed: "first" });
  });

  it("of a race: the first wins, the others are cut, and what they began is on record", async () => {
    let aborted = 0;
    const stuck = countingTool("stuck", "once", (_args, { signal }) => {
      signal.addEventListener("abort", () => (aborted += 1));
      return new Promise(() => {});
    });
    const pattern = answering(async (context) => {
      const { index, value } = await context.race<Json>([
        async (branch) => (await tool(branch, "stuck", 0)).ok,
        async (branch) => {
          await branch.waitSignal("go", 60_000);
          return "called";
        },
        async (branch) => (await branch.child({ agent: "child", query: "", sessionId: null })).status,
      ]);
      return { index, value };
    });
    const child = answering(async (context) => (await context.waitSignal("never", 60_000)).kind);
    await inLab({ pattern, tools: [stuck], agents: { child } }, async (lab) => {
      const { runId } = await lab.submit();
      await until("the tool to work", () => stuck.executions.size === 1);
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, { name: "go", payload: null, signalId: null });
      expect((await lab.ended(runId)).response).toBe('{"index":1,"value":"called"}');
      expect(aborted).toBe(1);
      const journal = await lab.journal(runId);
      expect(journal.filter(({ kind }) => kind === "tool").map(({ phase }) => phase)).toEqual(["intent", "ambiguous"]);
      const [orphan] = await store.runs.list({ parentRunId: runId, limit: 1 });
      if (orphan !== undefined) expect((await lab.ended(orphan.runId)).status).toBe("cancelled");
    });
  });
});

describe("a long loop", () => {
  it("stays small: 300 turns over a large transcript, under 2 KB a turn, whatever the segments", async () => {
    const turns = 300;
    const echo = countingTool("echo", "read", async () => ({ ok: true, data: "x".repeat(500) }));
    const pattern: Pattern = async (context) => {
      const state = isJsonObject(context.input.state) ? context.input.state : null;
      let length = Number(state?.["length"] ?? (await context.effect({ kind: "context", thread: "m" })).length);
      for (let turn = Number(state?.["turn"] ?? 0); turn < turns; turn += 1) {
        const ask = {
          kind: "model",
          thread: "m",
          length,
          role: "r",
          tools: true,
          stream: false,
          returnText: false,
        } as const;
        const { index } = await context.effect(ask);
        await tool(context, "echo", index + 1);
        length = index + 2;
        if (context.checkpointDue()) return { kind: "continue", state: { length, turn: turn + 1 } };
      }
      return { kind: "answer", stopReason: "end", thread: "m", index: length - 1 };
    };
    const opening = [{ role: "user", text: "word ".repeat(200_000) }] as const;
    await inLab({ pattern, tools: [echo], opening }, async (lab) => {
      const { runId } = await lab.submit();
      const run = await lab.ended(runId);
      expect(run).toMatchObject({ status: "completed", segment: 3 });
      const sizes = (await lab.journal(runId)).map((record) => JSON.stringify(record).length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(total).toBeLessThan(1_000_000);
      expect(total / turns).toBeLessThan(2_048);
      const half = sizes.length / 2;
      const [early, late] = [sizes.slice(0, half), sizes.slice(half)].map((part) =>
        part.reduce((sum, size) => sum + size, 0),
      );
      expect((late ?? 0) / (early ?? 1)).toBeLessThan(1.1);
    });
  });
});

describe("versions", () => {
  it("keep the old behaviour for runs that are past the place, and give new runs the new one", async () => {
    const clock = createHastyClock(1_000);
    const old = answering(async (context) => {
      await context.sleep(2_000);
      return (await context.waitSignal("go", 3_600_000_000)).kind;
    });
    const changed = answering(async (context) => {
      const version = await context.version("change", { min: 1, max: 2 });
      await context.sleep(2_000);
      await context.waitSignal("go", 3_600_000_000);
      return version;
    });
    const options = { leaseMs: 36_000_000, leaseRenewMs: 12_000_000 };
    const parts = { store: store.runs, clock, options };
    const runId = await withLab({ ...parts, pattern: old }, async (lab) => {
      const run = await lab.submit();
      await until("the wait", async () => (await store.runs.get(run.runId))?.waitReason === "signal");
      return run.runId;
    });
    await withLab({ ...parts, pattern: changed }, async (lab) => {
      const fresh = await lab.submit();
      for (const id of [runId, fresh.runId]) {
        await lab.engine.signal(id, LOCAL_PRINCIPAL, { name: "go", payload: null, signalId: null });
      }
      expect((await lab.ended(runId)).response).toBe("1");
      expect((await lab.ended(fresh.runId)).response).toBe("2");
    });
  });
});
