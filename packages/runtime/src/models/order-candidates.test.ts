import { expect, test } from "vitest";

import { candidate } from "../../test/fakes/models.ts";
import { ROUTING_STRATEGIES } from "../core/index.ts";
import type { RoutingStrategy } from "../core/index.ts";
import { orderCandidates } from "./order-candidates.ts";

const candidates = [candidate("dear"), candidate("unknown"), candidate("cheap"), candidate("cheap too")];
const costs: Readonly<Record<string, number>> = { dear: 9, cheap: 1, "cheap too": 1 };

const order = (strategy: RoutingStrategy, turn = 0): string[] =>
  orderCandidates({ candidates, strategy }, { turn, costOf: ({ provider }) => costs[provider] ?? null }).map(
    ({ provider }) => provider,
  );

test.each(["quality_first", "latency_optimized", "capability_match"] as const)("%s keeps the file's order", (name) => {
  expect(order(name)).toEqual(["dear", "unknown", "cheap", "cheap too"]);
});

test("round_robin begins one further at each turn", () => {
  expect([0, 1, 3, 4].map((turn) => order("round_robin", turn)[0])).toEqual(["dear", "unknown", "cheap too", "dear"]);
});

test("cost_optimized puts the cheapest first and the unknown last", () => {
  expect(order("cost_optimized")).toEqual(["cheap", "cheap too", "dear", "unknown"]);
});

test("no strategy loses a candidate, or minds that there is none", () => {
  for (const strategy of ROUTING_STRATEGIES) {
    expect(order(strategy, 2).toSorted()).toEqual(candidates.map(({ provider }) => provider).toSorted());
    expect(orderCandidates({ candidates: [], strategy }, { turn: 1, costOf: () => null })).toEqual([]);
  }
});
