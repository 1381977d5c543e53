import { expect, test } from "vitest";

import { createSystemClock, createSystemRandom } from "./system.ts";
import { readVersion } from "./version.ts";

test("a sleep ends early with the signal's reason", async () => {
  const clock = createSystemClock();
  const reason = new Error("stop");
  const abort = new AbortController();
  const sleeping = clock.sleep(60_000, abort.signal);
  abort.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(clock.sleep(60_000, abort.signal)).rejects.toBe(reason);
  await clock.sleep(1);
});

test("random numbers fill [0, 1) over many batches", () => {
  const random = createSystemRandom();
  const values = Array.from({ length: 5_000 }, random);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  expect(new Set(values).size).toBeGreaterThan(4_990);
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
});

test("the version is the package's", () => {
  expect(readVersion()).toMatch(/^\d+\.\d+\.\d+/);
});
