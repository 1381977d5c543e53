import { expect, test } from "vitest";

import { manualClock } from "../../test/fakes/index.ts";
import { createRetryBudget } from "./retry-budget.ts";

const takeAll = (budget: ReturnType<typeof createRetryBudget>): number => {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
};

test("retries are at most a fifth of the requests, and ten a second", () => {
  const clock = manualClock();
  const budget = createRetryBudget(clock);
  for (let request = 0; request < 1_000; request += 1) budget.request();
  expect(takeAll(budget)).toBe(200 + 100);
});

test("what was not used is forgotten after ten seconds", () => {
  const clock = manualClock();
  const budget = createRetryBudget(clock, { minPerSecond: 0 });
  for (let request = 0; request < 100; request += 1) budget.request();
  clock.advance(10_000);
  expect(takeAll(budget)).toBe(0);
  for (let request = 0; request < 10; request += 1) budget.request();
  expect(takeAll(budget)).toBe(2);
});
