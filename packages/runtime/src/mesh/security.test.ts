import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { exampleClaim } from "../../test/fakes/mesh.ts";
import { bodyDigest, createRecordSigner, HMAC, meshKey, newNodeKey } from "./keys.ts";
import { createKeyring, createReplayGuard, type Envelope, envelopeText, WINDOW } from "./security.ts";

const envelope: Envelope = {
  part: "request",
  method: "POST",
  path: "/v1/mesh/gossip",
  cluster: "astromesh",
  sender: "node_a",
  boot: 3,
  receiver: "node_b",
  counter: 17,
  digest: bodyDigest("{}"),
};

describe("the keyring", () => {
  const [old, fresh, strange] = ["an old secret ....", "a fresh secret ...", "somebody else's .."].map(meshKey);

  test("the first key signs, all are accepted: a secret is replaced in three restarts", () => {
    const before = createKeyring([old!], HMAC);
    const during = createKeyring([old!, fresh!], HMAC);
    const after = createKeyring([fresh!, old!], HMAC);
    expect(during.accepts(envelope, before.seal(envelope))).toBe(true);
    expect(during.accepts(envelope, after.seal(envelope))).toBe(true);
    expect(after.accepts(envelope, during.seal(envelope))).toBe(true);
    expect(before.accepts(envelope, after.seal(envelope))).toBe(false);
    expect(during.accepts(envelope, createKeyring([strange!], HMAC).seal(envelope))).toBe(false);
  });

  test("I7: a MAC fits one envelope only", () => {
    const ring = createKeyring([old!], HMAC);
    const seal = ring.seal(envelope);
    const changes: Partial<Envelope>[] = [
      { part: "answer" },
      { method: "GET" },
      { path: "/v1/mesh/leave" },
      { cluster: "other" },
      { sender: "node_c" },
      { boot: 4 },
      { receiver: "node_c" },
      { receiver: null },
      { counter: 18 },
      { digest: bodyDigest("{ }") },
    ];
    for (const change of changes) expect(ring.accepts({ ...envelope, ...change }, seal)).toBe(false);
    expect(ring.accepts(envelope, { ...seal, mac: "" })).toBe(false);
    expect(ring.accepts(envelope, { ...seal, mac: `${seal.mac}AA` })).toBe(false);
  });

  test("no two envelopes share their bytes", () => {
    const part = fc.string({ maxLength: 6 });
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        const [one, two] = [
          { ...envelope, path: a, cluster: b },
          { ...envelope, path: c, cluster: d },
        ];
        expect(envelopeText(one)).not.toBe(envelopeText(two));
      }),
    );
  });
});

describe("the replay guard", () => {
  test("agrees with a set of all counters seen, within the window", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 300 }), (counters) => {
        const guard = createReplayGuard(4);
        guard.admit("a", 1, 100);
        const seen = new Set([100]);
        let highest = 100;
        for (const counter of counters) {
          const isFresh = !seen.has(counter) && counter > highest - WINDOW;
          expect(guard.check("a", 1, counter)).toBe(isFresh ? "fresh" : "replayed");
          if (isFresh) seen.add(counter);
          highest = Math.max(highest, ...(isFresh ? [counter] : []));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a new boot must show itself first; an old one is over", () => {
    const guard = createReplayGuard(2);
    expect(guard.check("a", 1, 1)).toBe("unknown_boot");
    guard.admit("a", 1, 1);
    expect(guard.check("a", 1, 2)).toBe("fresh");
    expect(guard.check("a", 2, 1)).toBe("unknown_boot");
    guard.admit("a", 2, 1);
    expect(guard.check("a", 1, 3)).toBe("replayed");
    guard.admit("a", 1, 9);
    expect(guard.check("a", 2, 2)).toBe("fresh");
  });

  test("I10: forgets the sender that was silent the longest", () => {
    const guard = createReplayGuard(2);
    for (const sender of ["a", "b"]) guard.admit(sender, 1, 1);
    expect(guard.check("a", 1, 2)).toBe("fresh");
    guard.admit("c", 1, 1);
    expect(guard.check("b", 1, 2)).toBe("unknown_boot");
    expect(guard.check("a", 1, 3)).toBe("fresh");
  });
});

describe("signed records", () => {
  const [alice, mallory] = [createRecordSigner(newNodeKey()), createRecordSigner(newNodeKey())];
  const { key: _key, signature: _signature, ...body } = exampleClaim("node_a");
  const claim = alice.signClaim(body);

  test("a claim is its owner's, whole", () => {
    expect(mallory.verifyClaim(claim)).toBe(true);
    for (const forged of [
      { ...claim, left: true },
      { ...claim, incarnation: 9 },
      { ...claim, meta: { ...claim.meta, address: "10.6.6.6:80" } },
      { ...claim, key: mallory.signClaim(body).key },
      { ...claim, signature: "" },
      { ...claim, key: "nonsense" },
    ]) {
      expect(alice.verifyClaim(forged)).toBe(false);
    }
  });

  test("an accusation is its accuser's, about this life of the subject", () => {
    const accuser = alice.signAccusation(claim, { id: "node_a", boot: 1, refused: false });
    expect(mallory.verifyAccusation(claim, accuser, claim.key)).toBe(true);
    expect(mallory.verifyAccusation({ ...claim, incarnation: 1 }, accuser, claim.key)).toBe(false);
    expect(mallory.verifyAccusation(claim, { ...accuser, refused: true }, claim.key)).toBe(false);
    expect(mallory.verifyAccusation(claim, accuser, mallory.signClaim(body).key)).toBe(false);
  });
});
