import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  answering,
  askOnce,
  createLab,
  finish,
  openLabStore,
  saying,
  textOf,
  withLab,
} from "../../test/fakes/run-lab.ts";
import type { FakeModel, Lab, LabParts } from "../../test/fakes/run-lab.ts";
import { until } from "../../test/fakes/until.ts";
import { AstromeshError, LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Pattern } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

function inLab<T>(parts: Partial<LabParts>, body: (lab: Lab) => Promise<T>): Promise<T> {
  return withLab({ store: store.runs, pattern: askOnce, ...parts }, body);
}

/** A model that answers when the gate opens, and knows how many calls wait at it. */
function gated(): { readonly model: FakeModel; readonly open: () => void; readonly waiting: () => number } {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  const model: FakeModel = async function* answer(_call, signal) {
    waiting += 1;
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
    try {
      await Promise.race([gate, aborted]);
    } finally {
      waiting -= 1;
    }
    yield { type: "text", text: "at last" };
    yield finish();
  };
  return { model, open, waiting: () => waiting };
}

describe("a run", () => {
  it("asks the model and ends with its answer, sums, events and journal", () =>
    inLab({ model: saying("Good ", "day") }, async (lab) => {
      const { runId } = await lab.submit();
      expect(await lab.ended(runId)).toMatchObject({
        status: "completed",
        stopReason: "end",
        response: "Good day",
        usage: { inputTokens: 10, outputTokens: 2, costUsd: 0.01 },
        model: "fake-1",
        provider: "fake",
        attempt: 1,
        ownerNodeId: null,
      });
      const events = await lab.events(runId);
      expect(textOf(events)).toBe("Good day");
      expect(events.map(({ event }) => event.type)).toEqual(["run.started", "token", "token", "done"]);
      expect(events.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
      expect((await lab.journal(runId)).map((record) => `${record.position} ${record.kind} ${record.phase}`)).toEqual([
        "0 context done",
        "1 model intent",
        "1 model done",
      ]);
    }));

  it("gives the answer as data where the definition has a schema", () =>
    inLab(
      {
        model: saying('{"a":', "1}"),
        definition: (definition) => ({ ...definition, outputSchema: { type: "object" } }),
      },
      async (lab) => {
        const run = await lab.submit();
        expect((await lab.ended(run.runId)).output).toEqual({ a: 1 });
      },
    ));

  it("fails with the model's error when no candidate is left", () => {
    const model: FakeModel = async function* fail() {
      yield { type: "text", text: "half" };
      throw new AstromeshError("model_stream_broken", "the line went dead");
    };
    return inLab({ model }, async (lab) => {
      const run = await lab.submit();
      expect(await lab.ended(run.runId)).toMatchObject({
        status: "failed",
        stopReason: "error",
        error: { code: "model_stream_broken", message: "the line went dead", retryable: true },
      });
      expect((await lab.events(run.runId)).at(-1)?.event).toMatchObject({ type: "error" });
    });
  });

  it("takes back what a broken candidate said when the router goes on with another", () => {
    const model: FakeModel = async function* retract() {
      yield { type: "text", text: "wrong " };
      yield { type: "retract", reason: "broken" };
      yield { type: "text", text: "right" };
      yield finish();
    };
    return inLab({ model }, async (lab) => {
      const run = await lab.submit();
      expect((await lab.ended(run.runId)).response).toBe("right");
      expect(textOf(await lab.events(run.runId))).toBe("right");
    });
  });

  it("is refused for an agent that is not loaded", () =>
    inLab({}, async (lab) => {
      await expect(lab.submit({ agent: "nobody" })).rejects.toMatchObject({ code: "agent_not_found" });
    }));

  it("stops a model call that would go over the budget", () => {
    const pattern: Pattern = async (context) => {
      for (;;)
        await context.effect({
          kind: "model",
          thread: "m",
          length: 0,
          role: "r",
          tools: false,
          stream: false,
          returnText: false,
        });
    };
    const definition: LabParts["definition"] = (given) => ({ ...given, budget: { maxTokens: 30, maxCostUsd: null } });
    return inLab({ pattern, definition }, async (lab) => {
      const run = await lab.submit();
      expect(await lab.ended(run.runId)).toMatchObject({
        status: "failed",
        stopReason: "budget",
        usage: { inputTokens: 30, outputTokens: 6 },
      });
    });
  });

  it("fails when it has worked for its time", () => {
    const { model } = gated();
    return inLab({ model, options: { workLimitMs: 40 } }, async (lab) => {
      const run = await lab.submit();
      expect(await lab.ended(run.runId)).toMatchObject({
        status: "failed",
        stopReason: "timeout",
        error: { code: "run_timeout" },
      });
    });
  });
});

describe("admission", () => {
  it("gives a repeated request the same run, and refuses the key for another request", () =>
    inLab({}, async (lab) => {
      const idempotency = { key: "k1", bodyDigest: "d1" };
      const first = await lab.submit({ idempotency });
      expect((await lab.submit({ idempotency })).runId).toBe(first.runId);
      await expect(lab.submit({ idempotency: { key: "k1", bodyDigest: "d2" } })).rejects.toMatchObject({
        code: "idempotency_key_reused",
      });
    }));

  it("runs one at a time in a session, in turn", () => {
    const gate = gated();
    return inLab({ model: gate.model }, async (lab) => {
      const sessionId = lab.ids.session();
      const first = await lab.submit({ sessionId });
      const second = lab.submit({ sessionId });
      await until("the first to ask its model", () => gate.waiting() === 1);
      gate.open();
      await lab.ended(first.runId);
      expect((await lab.ended((await second).runId)).status).toBe("completed");
    });
  });

  it("tells a session that stays busy after a bounded wait", () => {
    const gate = gated();
    return inLab({ model: gate.model, options: { sessionWaitMs: 30 } }, async (lab) => {
      const sessionId = lab.ids.session();
      const first = await lab.submit({ sessionId });
      await expect(lab.submit({ sessionId })).rejects.toMatchObject({
        code: "session_busy",
        details: { runId: first.runId },
      });
      gate.open();
      await lab.ended(first.runId);
    });
  });

  it("queues beyond its slots and refuses beyond its queue", () => {
    const gate = gated();
    return inLab({ model: gate.model, options: { maxConcurrent: 2, maxQueued: 3 } }, async (lab) => {
      const runs = [];
      for (let count = 0; count < 5; count += 1) runs.push(await lab.submit());
      expect(runs.map(({ status }) => status)).toEqual(["running", "running", "queued", "queued", "queued"]);
      await expect(lab.submit()).rejects.toMatchObject({ code: "admission_full", retryAfterMs: 1_000 });
      await until("two to ask", () => gate.waiting() === 2);
      expect(lab.engine.status()).toMatchObject({ active: 2, free: 0, backlogged: true });
      gate.open();
      for (const { runId } of runs) expect((await lab.ended(runId)).status).toBe("completed");
      expect(gate.waiting()).toBe(0);
    });
  });
});

describe("a node that stops", () => {
  it("refuses new runs, and gives back those that do not end within the grace", async () => {
    const gate = gated();
    const parts: LabParts = { store: store.runs, pattern: askOnce, model: gate.model };
    const first = createLab(parts);
    first.engine.start();
    const run = await first.submit();
    await until("the model to be asked", () => gate.waiting() === 1);
    const stopped = first.engine.stop({ graceMs: 20 });
    await expect(first.submit()).rejects.toMatchObject({ code: "draining" });
    await stopped;
    expect(gate.waiting()).toBe(0);
    expect(await store.runs.get(run.runId)).toMatchObject({
      status: "queued",
      ownerNodeId: null,
      fruitlessAttempts: 0,
    });

    gate.open();
    await inLab({ model: gate.model }, async (lab) => {
      expect(await lab.ended(run.runId)).toMatchObject({ status: "completed", response: "at last", attempt: 2 });
      expect(textOf(await lab.events(run.runId))).toBe("at last");
    });
  });

  it("lets runs end that can", async () => {
    const gate = gated();
    const lab = createLab({ store: store.runs, pattern: askOnce, model: gate.model });
    lab.engine.start();
    const run = await lab.submit();
    await until("the model to be asked", () => gate.waiting() === 1);
    const stopped = lab.engine.stop({ graceMs: 10_000 });
    gate.open();
    await stopped;
    expect((await store.runs.get(run.runId))?.status).toBe("completed");
    await lab.engine.stop({ graceMs: 0 });
  });
});

describe("cancel", () => {
  it("stops the model call and ends the run", () => {
    const gate = gated();
    return inLab({ model: gate.model }, async (lab) => {
      const { runId } = await lab.submit();
      await until("the model to be asked", () => gate.waiting() === 1);
      await lab.engine.cancel(runId, LOCAL_PRINCIPAL);
      expect(await lab.ended(runId)).toMatchObject({ status: "cancelled", stopReason: "cancelled", error: null });
      expect(gate.waiting()).toBe(0);
      expect((await lab.events(runId)).at(-1)?.event).toMatchObject({ type: "done", status: "cancelled" });
      expect((await lab.journal(runId)).at(-1)).toMatchObject({ kind: "model", phase: "failed" });
      // Once more is no error; another end would be.
      expect((await lab.engine.cancel(runId, LOCAL_PRINCIPAL)).status).toBe("cancelled");
    });
  });

  it("ends a run that waits, and its children", () => {
    const parent = answering(async (context) => {
      const { status } = await context.child({ agent: "child", query: "", sessionId: null });
      return status;
    });
    const child = answering(async (context) => (await context.waitSignal("never", 3_600_000)).kind);
    return inLab({ pattern: parent, agents: { child } }, async (lab) => {
      const { runId } = await lab.submit();
      const [made] = await until("the child to wait", async () => {
        const children = await store.runs.list({ parentRunId: runId, limit: 1 });
        return children[0]?.status === "waiting" && children;
      });
      await until("the parent to wait", async () => (await store.runs.get(runId))?.status === "waiting");
      await lab.engine.cancel(runId, LOCAL_PRINCIPAL);
      expect((await lab.ended(runId)).status).toBe("cancelled");
      expect((await lab.ended(made?.runId ?? "")).status).toBe("cancelled");
    });
  });

  it("is refused for a run that has ended otherwise", () =>
    inLab({}, async (lab) => {
      const { runId } = await lab.submit();
      await lab.ended(runId);
      await expect(lab.engine.cancel(runId, LOCAL_PRINCIPAL)).rejects.toMatchObject({ code: "run_ended" });
    }));
});
