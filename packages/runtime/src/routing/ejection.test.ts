import * as fc from "fast-check";
import { expect, test } from "vitest";

import { manualClock } from "../../test/fakes/index.ts";
import { createEjection } from "./ejection.ts";

const make = () => {
  const clock = manualClock();
  return { clock, ejection: createEjection({ clock, random: () => 0.5 }) };
};
const fail = (ejection: ReturnType<typeof make>["ejection"], key: string, times = 3): void => {
  for (let time = 0; time < times; time += 1) ejection.record(key, "connect_failure");
};

test("three connect failures eject for 10 s, then 20 s, and so on up to 5 min (J1)", () => {
  const { clock, ejection } = make();
  const lengths = Array.from({ length: 8 }, () => {
    fail(ejection, "a");
    const left = ejection.leftMs("a");
    clock.advance(left);
    return left;
  });
  expect(lengths).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
});

test("five gateway errors eject; four and an answer do not (J1)", () => {
  const { ejection } = make();
  for (const outcome of ["gateway_error", "gateway_error", "gateway_error", "gateway_error", "ok"] as const) {
    ejection.record("a", outcome);
  }
  expect(ejection.leftMs("a")).toBe(0);
  for (let time = 0; time < 5; time += 1) ejection.record("a", "gateway_error");
  expect(ejection.leftMs("a")).toBe(10_000);
});

test("a clean minute takes one ejection back (J1)", () => {
  const { clock, ejection } = make();
  fail(ejection, "a");
  clock.advance(10_000);
  fail(ejection, "a");
  clock.advance(20_000 + 60_000);
  fail(ejection, "a");
  expect(ejection.leftMs("a")).toBe(20_000);
});

test("one refused connection makes others preferred, and an answer ends that (J3)", () => {
  const { ejection } = make();
  ejection.record("a", "connect_failure");
  expect(ejection.admitted(["a", "b"])).toEqual(["b"]);
  ejection.record("a", "ok");
  expect(ejection.admitted(["a", "b"])).toEqual(["a", "b"]);
});

test("at least half of a pool is admitted, and never nobody (J2)", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e");
  const outcome = fc.constantFrom("ok" as const, "connect_failure" as const, "gateway_error" as const);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, outcome, fc.nat(20_000))),
      fc.uniqueArray(key, { minLength: 1 }),
      (past, pool) => {
        const { clock, ejection } = make();
        for (const [who, what, passedMs] of past) {
          ejection.record(who, what);
          clock.advance(passedMs);
        }
        const admitted = ejection.admitted(pool);
        expect(admitted.length).toBeGreaterThanOrEqual(Math.ceil(pool.length / 2));
        expect(pool).toEqual(expect.arrayContaining([...admitted]));
      },
    ),
  );
});
