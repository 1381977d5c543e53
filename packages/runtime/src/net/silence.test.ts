import { expect, test } from "vitest";

import { manualClock } from "../../test/fakes/clock.ts";
import { watchSilence } from "./silence.ts";

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const make = (parent: AbortSignal = new AbortController().signal) => {
  const clock = manualClock();
  const watch = watchSilence(clock, parent, 100, () => new Error("silent"));
  const advance = async (byMs: number): Promise<boolean> => {
    clock.advance(byMs);
    await settle();
    return watch.signal.aborted;
  };
  return { watch, advance };
};

test("aborts when nothing is heard for the whole limit", async () => {
  const { watch, advance } = make();
  expect(await advance(99)).toBe(false);
  expect(await advance(1)).toBe(true);
  expect(watch.signal.reason).toMatchObject({ message: "silent" });
});

test("each piece begins the time anew", async () => {
  const { watch, advance } = make();
  for (let piece = 0; piece < 5; piece += 1) {
    expect(await advance(99)).toBe(false);
    watch.heard();
  }
  expect(await advance(99)).toBe(false);
  expect(await advance(1)).toBe(true);
});

test("time that our own side takes does not count", async () => {
  const { watch, advance } = make();
  await advance(50);
  watch.pause();
  expect(await advance(10_000)).toBe(false);
  watch.heard();
  expect(await advance(99)).toBe(false);
  expect(await advance(1)).toBe(true);
});

test("can become stricter on the way", async () => {
  const { watch, advance } = make();
  watch.tighten(10);
  expect(await advance(9)).toBe(false);
  expect(await advance(1)).toBe(true);
});

test("passes the parent's abort on, with its reason", () => {
  const parent = new AbortController();
  const { watch } = make(parent.signal);
  parent.abort(new Error("cancelled"));
  expect(watch.signal.reason).toMatchObject({ message: "cancelled" });
  expect(make(parent.signal).watch.signal.aborted).toBe(true);
});

test("after stop nothing happens any more", async () => {
  const parent = new AbortController();
  const { watch, advance } = make(parent.signal);
  watch.stop();
  parent.abort();
  expect(await advance(1_000)).toBe(false);
});
