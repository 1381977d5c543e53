import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createRetryBudget, retryAfterMs, retryDelayMs } from "./retry.ts";

const options = { baseMs: 200, capMs: 5_000, retryAfterCapMs: 10_000 };

describe("retryDelayMs", () => {
  test("is a random share of a step that doubles up to the cap", () => {
    const most = (attempt: number) => retryDelayMs(attempt, null, options, () => 1);
    expect([1, 2, 3, 10].map(most)).toEqual([200, 400, 800, 5_000]);
    expect(retryDelayMs(3, null, options, () => 0.25)).toBe(200);
  });

  test("never waits less than asked for, nor more than either cap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.option(fc.integer({ min: 0, max: 20_000 })),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (attempt, asked, share) => {
          const delayMs = retryDelayMs(attempt, asked, options, () => share);
          if (asked !== null && asked > options.retryAfterCapMs) expect(delayMs).toBeNull();
          else {
            expect(delayMs).toBeGreaterThanOrEqual(asked ?? 0);
            expect(delayMs).toBeLessThanOrEqual(Math.max(asked ?? 0, options.capMs));
          }
        },
      ),
    );
  });
});

describe("retryAfterMs", () => {
  const now = Date.parse("2026-11-20T10:00:00Z");
  test.each([
    [{ "retry-after": "2" }, 2_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after-ms": "1500", "retry-after": "2" }, 1_500],
    [{ "retry-after": "Fri, 20 Nov 2026 10:00:07 GMT" }, 7_000],
    [{ "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "" }, null],
    [{}, null],
  ])("reads %j", (headers, expected) => {
    expect(retryAfterMs(headers, now)).toBe(expected);
  });
});

test("a budget is kept for each key, and only for the newest 10,000", () => {
  const budget = createRetryBudget(2);
  expect([budget.take("a"), budget.take("a"), budget.take("a")]).toEqual([true, true, false]);
  expect(budget.take("b")).toBe(true);
  for (let other = 0; other < 10_000; other += 1) budget.take(`other ${other}`);
  expect(budget.take("a")).toBe(true);
});
