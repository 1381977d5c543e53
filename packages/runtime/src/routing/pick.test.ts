import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { pick } from "./pick.ts";
import type { Candidate, PickContext } from "./pick.ts";

const node = (key: string, parts: Partial<Candidate> = {}): Candidate => ({
  key,
  name: key,
  self: false,
  region: null,
  inFlight: 0,
  others: 0,
  latencyMs: null,
  fitness: 0,
  ...parts,
});
const context = (parts: Partial<PickContext> = {}): PickContext => ({
  strategy: "least_connections",
  region: null,
  localPreference: true,
  affinity: null,
  turn: 0,
  random: () => 0,
  ...parts,
});
const chosen = (candidates: readonly Candidate[], parts: Partial<PickContext> = {}) =>
  pick(candidates, context(parts))?.candidate.key;

describe("pick", () => {
  test("nobody when there is nobody", () => {
    expect(pick([], context())).toBeNull();
  });

  test("always one of the candidates, and says why", () => {
    const candidate = fc.record({
      key: fc.string({ minLength: 1 }),
      self: fc.boolean(),
      region: fc.constantFrom(null, "eu", "us"),
      inFlight: fc.nat(50),
      others: fc.nat(50),
      latencyMs: fc.option(fc.nat(5_000)),
      fitness: fc.integer({ min: -3, max: 3 }),
    });
    const candidates = fc.uniqueArray(candidate, { selector: ({ key }) => key, minLength: 1, maxLength: 9 });
    const strategy = fc.constantFrom("least_connections", "affinity", "latency", "capability", "round_robin" as const);
    fc.assert(
      fc.property(candidates, strategy, fc.option(fc.string()), fc.nat(), (given, strategy, affinity, seed) => {
        const pool = given.map((one) => node(one.key, one));
        let state = seed;
        const random = (): number => {
          state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
          return state / 2_147_483_648;
        };
        const result = pick(pool, context({ strategy, affinity, turn: seed, random, region: "eu" }));
        expect(pool).toContain(result?.candidate);
        expect(result?.why).not.toBe("");
        expect(result?.explain).toMatchObject({ node: result?.candidate.key, strategy });
        if (pool.some(({ self }) => self)) expect(result?.candidate.self).toBe(true);
      }),
    );
  });

  test("of two the one with less work, own and others'", () => {
    expect(chosen([node("a", { inFlight: 1, others: 3 }), node("b", { inFlight: 3 })])).toBe("b");
    expect(chosen([node("a", { inFlight: 1, latencyMs: 90 }), node("b", { inFlight: 1, latencyMs: 30 })])).toBe("b");
  });

  test("latency weighs the time by the work", () => {
    const slow = node("slow", { latencyMs: 300 });
    const busy = node("busy", { latencyMs: 100, inFlight: 1 });
    expect(chosen([slow, busy], { strategy: "latency" })).toBe("busy");
    expect(chosen([slow, { ...busy, inFlight: 5 }], { strategy: "latency" })).toBe("slow");
  });

  test("capability takes the best fit before the idle one", () => {
    const pool = [node("idle"), node("fit", { fitness: 2, inFlight: 9 })];
    expect(chosen(pool, { strategy: "capability" })).toBe("fit");
  });

  test("in turn, whatever the order they are given in", () => {
    const pool = [node("c"), node("a"), node("b")];
    const turns = [0, 1, 2, 3].map((turn) => chosen(pool, { strategy: "round_robin", turn }));
    expect(turns).toEqual(["a", "b", "c", "a"]);
  });

  test("its own region first, and anywhere when local_preference is off", () => {
    const pool = [node("far", { region: "us" }), node("near", { region: "eu", inFlight: 9 })];
    expect(chosen(pool, { region: "eu" })).toBe("near");
    expect(chosen(pool, { region: "eu", localPreference: false })).toBe("far");
  });

  test("a session stays, until its node is over the cap", () => {
    const pool = ["a", "b", "c", "d"].map((key) => node(key, { inFlight: 4 }));
    const home = chosen(pool, { affinity: "s" });
    expect(chosen(pool.toReversed(), { affinity: "s", strategy: "round_robin", turn: 3 })).toBe(home);
    const crowded = pool.map((one) => (one.key === home ? { ...one, inFlight: 9 } : one));
    expect(chosen(crowded, { affinity: "s" })).not.toBe(home);
  });
});
