import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createKeyring, createReplayGuard, envelopeText } from "./index.ts";
import type { Envelope, Mac } from "./index.ts";

const envelope: Envelope = {
  part: "request",
  method: "POST",
  path: "/v1/peer/status",
  cluster: "astromesh",
  sender: "node_a",
  boot: 3,
  receiver: "node_b",
  counter: 7,
  digest: "abc",
};

const plainMac: Mac = {
  sign: (secret, text) => `${secret}|${text}`,
  verify: (secret, text, mac) => mac === `${secret}|${text}`,
};

describe("envelopeText", () => {
  test("differs when any field does (Z1)", () => {
    const field = fc.string({ unit: fc.constantFrom("\n", ":", "1", "a") });
    const parts = fc.record({ method: field, path: field, cluster: field, sender: field, digest: field });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(envelopeText({ ...envelope, ...a }) === envelopeText({ ...envelope, ...b })).toBe(same);
      }),
    );
  });
});

describe("the keyring", () => {
  const old = { id: "old", secret: "s1" };
  const next = { id: "next", secret: "s2" };

  test("signs with the first and accepts all", () => {
    const seal = createKeyring([old], plainMac).seal(envelope);
    expect(createKeyring([next, old], plainMac).accepts(envelope, seal)).toBe(true);
    expect(createKeyring([next], plainMac).accepts(envelope, seal)).toBe(false);
    expect(createKeyring([old], plainMac).accepts({ ...envelope, receiver: "node_c" }, seal)).toBe(false);
  });
});

describe("the replay guard", () => {
  test("accepts each counter once, in any order within the window (Z2)", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 400 }), (counters) => {
        const guard = createReplayGuard(4, 64);
        guard.admit("a", 1, 0);
        const seen = new Set([0]);
        let highest = 0;
        for (const counter of counters) {
          const fresh = !seen.has(counter) && counter > highest - 64;
          expect(guard.check("a", 1, counter)).toBe(fresh ? "fresh" : "replayed");
          if (fresh) seen.add(counter);
          highest = Math.max(highest, counter);
        }
      }),
    );
  });

  test("wants a challenge for every new boot, and never goes back (Z3)", () => {
    const guard = createReplayGuard(4);
    expect(guard.check("a", 1, 1)).toBe("unknown_boot");
    guard.admit("a", 1, 1);
    expect(guard.check("a", 1, 1)).toBe("replayed");
    expect(guard.check("a", 2, 1)).toBe("unknown_boot");
    guard.admit("a", 2, 5);
    expect(guard.check("a", 1, 9)).toBe("replayed");
    expect(guard.check("a", 2, 4)).toBe("fresh");
    guard.admit("a", 1, 50);
    expect(guard.check("a", 2, 6)).toBe("fresh");
  });

  test("forgets the sender that was silent the longest", () => {
    const guard = createReplayGuard(2);
    for (const sender of ["a", "b"]) guard.admit(sender, 1, 1);
    expect(guard.check("a", 1, 2)).toBe("fresh");
    guard.admit("c", 1, 1);
    expect(guard.check("b", 1, 2)).toBe("unknown_boot");
    expect(guard.check("a", 1, 3)).toBe("fresh");
  });
});
