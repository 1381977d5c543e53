import * as fc from "fast-check";
import { expect, test } from "vitest";

import { exampleMeta } from "../../test/fakes/mesh.ts";
import {
  type Accuser,
  compareClaims,
  joinAccusers,
  MAX_ACCUSERS,
  type MemberRecord,
  mergeRecords,
  NO_ACCUSERS,
  STATUS_RANK,
} from "./record.ts";

const accuser: fc.Arbitrary<Accuser> = fc.record({
  id: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  boot: fc.integer({ min: 1, max: 2 }),
  refused: fc.boolean(),
  signature: fc.constantFrom("x", "y"),
});

/** Records of one node in their normal form, as nodes make them. */
const record: fc.Arbitrary<MemberRecord> = fc
  .record({
    boot: fc.integer({ min: 1, max: 2 }),
    incarnation: fc.integer({ min: 0, max: 2 }),
    version: fc.integer({ min: 0, max: 2 }),
    status: fc.constantFrom("alive" as const, "suspect" as const, "dead" as const, "left" as const),
    region: fc.constantFrom("here", "there"),
    accusers: fc.array(accuser, { maxLength: 6 }),
  })
  .map(({ boot, incarnation, version, status, region, accusers }) => ({
    claim: {
      id: "n",
      boot,
      incarnation,
      version,
      left: status === "left",
      meta: { ...exampleMeta, region },
      key: "",
      signature: "",
    },
    status,
    accusers: status === "alive" ? NO_ACCUSERS : joinAccusers(NO_ACCUSERS, accusers),
  }));

test("merging is commutative, associative and idempotent", () => {
  fc.assert(
    fc.property(record, record, record, (a, b, c) => {
      expect(mergeRecords(a, b)).toEqual(mergeRecords(b, a));
      expect(mergeRecords(mergeRecords(a, b), c)).toEqual(mergeRecords(a, mergeRecords(b, c)));
      expect(mergeRecords(a, a)).toBe(a);
    }),
    { numRuns: 2_000 },
  );
});

test("I3: a merge never goes down, and what it adds is there the second time", () => {
  fc.assert(
    fc.property(record, record, (a, b) => {
      const both = mergeRecords(a, b);
      expect(mergeRecords(both, a)).toBe(both);
      expect(mergeRecords(both, b)).toBe(both);
      expect(both.claim.boot).toBeGreaterThanOrEqual(a.claim.boot);
      if (both.claim.boot === a.claim.boot && both.claim.incarnation === a.claim.incarnation) {
        expect(STATUS_RANK[both.status]).toBeGreaterThanOrEqual(STATUS_RANK[a.status]);
      }
      expect(both.accusers.length).toBeLessThanOrEqual(MAX_ACCUSERS);
    }),
    { numRuns: 2_000 },
  );
});

test("I4: who left stays so until a new boot", () => {
  fc.assert(
    fc.property(record, record, (a, b) => {
      fc.pre(a.status === "left" && b.claim.boot <= a.claim.boot);
      expect(mergeRecords(a, b).status).toBe("left");
    }),
  );
});

test("claims of one version that differ have an order, so that all nodes keep the same one", () => {
  fc.assert(
    fc.property(record, record, ({ claim: a }, { claim: b }) => {
      expect(Math.sign(compareClaims(a, b)) + Math.sign(compareClaims(b, a))).toBe(0);
      if (compareClaims(a, b) === 0) expect(a).toEqual(b);
    }),
  );
});
