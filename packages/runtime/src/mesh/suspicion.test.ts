import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { DEFAULT_SETTINGS } from "./settings.ts";
import { accusersNeeded, confirmable, refusalsNeeded, suspicionMs } from "./suspicion.ts";

describe("how long a suspicion lasts", () => {
  test.each([
    // live, alive, accusers, refusals, seconds
    [10, 9, 4, 0, 4],
    [10, 9, 1, 0, 15],
    [10, 9, 2, 0, 9.5],
    [10, 9, 3, 0, 6.28],
    [100, 99, 4, 0, 8],
    [100, 99, 1, 0, 15],
    [1000, 999, 4, 0, 12],
    [1000, 999, 1, 0, 15],
    // Few can confirm: fewer are asked for.
    [3, 2, 2, 0, 4],
    [3, 2, 1, 0, 15],
    [2, 1, 1, 0, 15],
    [2, 1, 1, 1, 4],
  ])("%i live, %i alive, %i accusers, %i refusals: %d s", (live, alive, accusers, refusals, wanted) => {
    expect(suspicionMs(DEFAULT_SETTINGS, { live, alive, accusers, refusals }) / 1_000).toBeCloseTo(wanted, 1);
  });

  test("S2: more confirmations never lengthen it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 1, max: 6 }), (live, accusers) => {
        const at = (count: number) =>
          suspicionMs(DEFAULT_SETTINGS, { live, alive: live - 1, accusers: count, refusals: 0 });
        expect(at(accusers + 1)).toBeLessThanOrEqual(at(accusers));
        expect(at(accusers)).toBeLessThanOrEqual(DEFAULT_SETTINGS.deadTimeoutMs - DEFAULT_SETTINGS.failureTimeoutMs);
      }),
    );
  });

  test("S3, S4: what is asked for can be had", () => {
    for (let live = 2; live <= 20; live += 1) {
      for (let alive = 1; alive < live; alive += 1) {
        expect(confirmable(DEFAULT_SETTINGS, alive)).toBeLessThanOrEqual(alive - 1);
        expect(accusersNeeded(live, alive)).toBeLessThanOrEqual(alive);
        expect(refusalsNeeded(alive)).toBeLessThanOrEqual(alive);
      }
    }
    expect(accusersNeeded(5, 4)).toBe(2);
    expect(accusersNeeded(4, 3)).toBe(1);
  });
});
