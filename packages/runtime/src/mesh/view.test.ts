import * as fc from "fast-check";
import { expect, test } from "vitest";

import { exampleClaim } from "../../test/fakes/mesh.ts";
import { type MemberRecord, NO_ACCUSERS } from "./record.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { createView, type View } from "./view.ts";

const record: fc.Arbitrary<MemberRecord> = fc
  .record({
    id: fc.constantFrom("n1", "n2", "n3", "n4", "n5"),
    incarnation: fc.integer({ min: 0, max: 3 }),
    status: fc.constantFrom("alive" as const, "suspect" as const, "dead" as const, "left" as const),
  })
  .map(({ id, incarnation, status }) => ({
    claim: exampleClaim(id, { incarnation }),
    status,
    accusers: NO_ACCUSERS,
  }));

function viewOf(records: readonly MemberRecord[], self = "self"): View {
  const view = createView(self, DEFAULT_SETTINGS);
  for (const one of records) view.put(one, 0, 0);
  return view;
}

/** What the hash speaks of: the live members, and their versions. */
function livesOf(view: View): string[] {
  return view.live.map(({ id, claim, status }) => `${id} ${claim.incarnation} ${status}`).toSorted();
}

test("V1: hashes are equal exactly when the live records are", () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), fc.array(record, { maxLength: 12 }), (left, right) => {
      const [a, b] = [viewOf(left), viewOf(right)];
      const isEqual = livesOf(a).join() === livesOf(b).join();
      expect(a.hash().join() === b.hash().join()).toBe(isEqual);
      expect(a.buckets().join() === b.buckets().join()).toBe(isEqual);
    }),
    { numRuns: 1_000 },
  );
});

test("the hash does not depend on who looks: the own record counts like another's", () => {
  const [a, b] = [viewOf([], "n1"), viewOf([], "n2")];
  a.setSelf(exampleClaim("n1"));
  b.setSelf(exampleClaim("n2"));
  a.put({ claim: exampleClaim("n2"), status: "alive", accusers: NO_ACCUSERS }, 0, 0);
  b.put({ claim: exampleClaim("n1"), status: "alive", accusers: NO_ACCUSERS }, 0, 0);
  expect(a.hash()).toEqual(b.hash());
  a.setSelf(null);
  expect(a.hash()).not.toEqual(b.hash());
});

test("I10: members, the dead and tombstones are bounded", () => {
  const view = createView("self", { ...DEFAULT_SETTINGS, maxMembers: 10, maxTombstones: 5 });
  const put = (id: string, status: MemberRecord["status"]) =>
    view.put({ claim: exampleClaim(id), status, accusers: NO_ACCUSERS }, 0, 0);
  for (let index = 0; index < 200; index += 1) {
    put(`alive${index}`, "alive");
    put(`dead${index}`, "dead");
    put(`left${index}`, "left");
  }
  expect(view.counts()).toEqual({ live: 10, dead: 64, left: 5 });
  expect(view.get("dead0")).toBeUndefined();
  expect(view.get("dead199")).toBeDefined();
});

test("tombstones are forgotten in time", () => {
  const view = viewOf([{ claim: exampleClaim("n1"), status: "left", accusers: NO_ACCUSERS }]);
  view.expire(DEFAULT_SETTINGS.tombstoneMs - 1);
  expect(view.get("n1")).toBeDefined();
  view.expire(DEFAULT_SETTINGS.tombstoneMs);
  expect(view.get("n1")).toBeUndefined();
});
