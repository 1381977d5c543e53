import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createMortalStore } from "../../test/fakes/mortal-store.ts";
import { askOnce, createLab, finish, openLabStore, textOf, textsOf, withLab } from "../../test/fakes/run-lab.ts";
import type { FakeModel, LabParts } from "../../test/fakes/run-lab.ts";
import { until } from "../../test/fakes/until.ts";
import { isFinal, LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Pattern, StreamEvent } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";
import { createStreams } from "./streams.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

/** A model that says a word each time the test lets it. */
function steppedModel(words: number) {
  const steps: (() => void)[] = [];
  const model: FakeModel = async function* speak() {
    for (let word = 0; word < words; word += 1) {
      await new Promise<void>((resolve) => {
        steps.push(resolve);
        if (free) resolve();
      });
      yield { type: "text", text: `w${word} ` };
    }
    yield finish();
  };
  let free = false;
  return {
    model,
    whole: Array.from({ length: words }, (_, word) => `w${word} `).join(""),
    /** Lets it say one word, once it waits to. */
    step: async () => {
      const next = await until("the model to wait", () => steps[0]);
      steps.shift();
      next();
    },
    run: () => {
      free = true;
      for (const resolve of steps.splice(0)) resolve();
    },
  };
}

async function some(events: AsyncIterable<StreamEvent>, count: number): Promise<StreamEvent[]> {
  const taken: StreamEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length >= count || isFinal(event.event)) break;
  }
  return taken;
}

const forever = new AbortController().signal;

describe("a reader", () => {
  it("that reconnects after every word gets the text of the journal", async () => {
    const words = 20;
    const { model, step, whole } = steppedModel(words);
    await withLab({ store: store.runs, pattern: askOnce, model }, async (lab) => {
      const { runId } = await lab.submit();
      let events = await some(lab.engine.events(runId, LOCAL_PRINCIPAL, null, forever), 1);
      for (let word = 0; word < words; word += 1) {
        await step();
        const { attempt, offset } = events.at(-1) as StreamEvent;
        events = [
          ...events,
          ...(await some(lab.engine.events(runId, LOCAL_PRINCIPAL, { attempt, offset }, forever), 1)),
        ];
      }
      const last = events.at(-1) as StreamEvent;
      events = [...events, ...(await lab.events(runId, last))];
      expect(textOf(events)).toBe(whole);
      expect(events.map(({ offset }) => offset)).toEqual(events.map((_event, index) => index + 1));
      expect(textOf(await lab.events(runId))).toBe(whole);
      expect(lab.engine.status().watchers).toBe(0);
    });
  });

  it("that is slow is served from the log and holds nobody up", async () => {
    const { model, run, whole } = steppedModel(300);
    const options = { streamBuffer: 4 };
    await withLab({ store: store.runs, pattern: askOnce, model, options }, async (lab) => {
      const { runId } = await lab.submit();
      const slow = lab.engine.events(runId, LOCAL_PRINCIPAL, null, forever)[Symbol.asyncIterator]();
      const events: StreamEvent[] = [(await slow.next()).value as StreamEvent];
      run();
      await lab.ended(runId);
      for (let next = await slow.next(); next.done !== true; next = await slow.next()) events.push(next.value);
      expect(textOf(events)).toBe(whole);
      expect(events.map(({ offset }) => offset)).toEqual(events.map((_event, index) => index + 1));
    });
  });

  it("is told what died with its owner, and gets the rest from the next one", async () => {
    const dying = steppedModel(6);
    const mortal = createMortalStore(store.runs, null);
    const parts: LabParts = { store: store.runs, pattern: askOnce, options: { streamFlushMs: 3_600_000 } };
    const first = createLab({ ...parts, store: mortal.store, model: dying.model });
    first.engine.start();
    const { runId } = await first.submit();
    const reading = some(first.engine.events(runId, LOCAL_PRINCIPAL, null, forever), 4);
    for (let word = 0; word < 3; word += 1) await dying.step();
    const seen = await reading;
    expect(textOf(seen)).toBe("w0 w1 w2 ");
    mortal.kill();

    const next = steppedModel(6);
    next.run();
    await withLab({ ...parts, model: next.model }, async (lab) => {
      const { attempt, offset } = seen.at(-1) as StreamEvent;
      const rest = await lab.events(runId, { attempt, offset });
      expect(rest[0]?.event).toMatchObject({ type: "retract" });
      expect(textOf([...seen, ...rest])).toBe(next.whole);
      expect(textOf(await lab.events(runId))).toBe(next.whole);
    });
  });

  it("of a run that works on another node reads the store", async () => {
    const { model, step, run, whole } = steppedModel(5);
    await withLab({ store: store.runs, pattern: askOnce, model, nodeId: "node_there" }, async (there) => {
      const { runId } = await there.submit();
      await step();
      await withLab({ store: store.runs, pattern: askOnce, nodeId: "node_here" }, async (here) => {
        const reading = here.events(runId);
        run();
        expect(textOf(await reading)).toBe(whole);
        expect((await here.ended(runId)).status).toBe("completed");
      });
    });
  });

  it("of an old run gets its end, even when retention has dropped the rest", () =>
    withLab({ store: store.runs, pattern: askOnce }, async (lab) => {
      const { runId } = await lab.submit();
      const run = await lab.ended(runId);
      await store.runs.sweep({ runsMs: 86_400_000, runsCount: 1_000_000, streamsMs: 0 }, (run.endedAt ?? 0) + 1);
      expect((await lab.events(runId)).map(({ event }) => event)).toMatchObject([
        { type: "done", status: "completed", response: "hello" },
      ]);
    }));

  it("that leaves changes nothing", () =>
    withLab({ store: store.runs, pattern: askOnce, model: steppedModel(0).model }, async (lab) => {
      const { runId } = await lab.submit();
      await some(lab.engine.events(runId, LOCAL_PRINCIPAL, null, forever), 1);
      expect((await lab.ended(runId)).status).toBe("completed");
    }));
});

describe("models that speak at the same time", () => {
  it("take back only their own words", async () => {
    const pattern: Pattern = async (context) => {
      await context.all(
        ["a", "b"].map((thread) => (branch) => {
          const ask = { kind: "model", thread, length: 0, role: thread, tools: false, returnText: false } as const;
          return branch.effect({ ...ask, stream: true });
        }),
      );
      return { kind: "answer", stopReason: "end", thread: "a", index: 0 };
    };
    let calls = 0;
    let bothSpoke = (): void => {};
    const spoken = new Promise<void>((resolve) => {
      bothSpoke = resolve;
    });
    const model: FakeModel = async function* speak() {
      calls += 1;
      const breaks = calls === 1;
      yield { type: "text", text: breaks ? "broken" : "steady " };
      if (!breaks) bothSpoke();
      await spoken;
      if (breaks) yield { type: "retract", reason: "the candidate broke" };
      yield { type: "text", text: "end" };
      yield finish();
    };
    await withLab({ store: store.runs, pattern, model }, async (lab) => {
      const { runId } = await lab.submit();
      await lab.ended(runId);
      expect(textsOf(await lab.events(runId))).toEqual({ a: "end", b: "steady end" });
    });
  });
});

describe("the hub", () => {
  it("keeps nothing of streams and watchers that are gone", () => {
    const streams = createStreams({ now: () => 0, bufferEvents: 2 });
    const stream = streams.open({ runId: "r", attempt: 1, head: 0, log: () => {} });
    const subscription = streams.subscribe("r");
    expect(subscription.attempt()).toBe(1);
    for (let count = 0; count < 3; count += 1) stream.emit({ type: "token", text: "x", thread: "t" });
    expect(subscription.overflowed()).toBe(true);
    expect(subscription.take()).toEqual([]);
    const again = streams.subscribe("r");
    expect(again.take().map(({ offset }) => offset)).toEqual([1, 2, 3]);
    stream.logged(2);
    expect(
      streams
        .subscribe("r")
        .take()
        .map(({ offset }) => offset),
    ).toEqual([3]);
    stream.close();
    expect(again.attempt()).toBeNull();
    for (const each of [subscription, again]) each.close();
    expect(streams.watchers()).toBe(1);
  });
});
