import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { exampleClaim } from "../../test/fakes/mesh.ts";
import { decodeReply, decodeRequest, encodeMessage } from "./codec.ts";
import type { GossipBody, MeshReply, MeshRequest } from "./messages.ts";

const load = { activeRequests: 1, depth: 2, cpuPercent: 3.5, memoryPercent: 40, loopDelayMs: 0.2 };
const own = { incarnation: 1, version: 2, ageMs: 3, degraded: false, load };
const accusers = [{ id: "node_b", boot: 1, refused: true, signature: "abc-_" }];
const verdict = { id: "node_a", boot: 1, incarnation: 0, status: "suspect", accusers } as const;
const lease = { holder: "node_a", boot: 1, epoch: 4, remainingMs: 9_000 };
const claim = exampleClaim("node_a", {
  meta: { ...exampleClaim("a").meta, resources: { gpu: { memory_gb: 24 } }, store: { id: "pg", shared: true } },
});

const body = (repair: GossipBody["repair"]): GossipBody => ({
  own,
  hash: [-5, 7],
  news: { claims: [{ claim, ageMs: 10 }], verdicts: [verdict] },
  verdict,
  lease,
  repair,
});

const requests: readonly MeshRequest[] = [
  { kind: "gossip", round: true, ...body(null) },
  {
    kind: "gossip",
    round: false,
    ...body({ step: "buckets", hashes: Array.from({ length: 32 }, (_, at) => at - 16) }),
  },
  { kind: "gossip", round: false, ...body({ step: "digests", buckets: [0, 15], digests: [["node_a", 1, 0, 0, 2]] }) },
  { kind: "heartbeat", own, verdict: null, relay: { id: "node_c", waitMs: 1_000 } },
  { kind: "join", claim, cluster: "astromesh", protocol: 1 },
  { kind: "leave", claim, lease: { ...lease, holder: null } },
  { kind: "election", action: "acquire", candidate: "node_a", boot: 1, epoch: 0 },
];

const replies: readonly (readonly [MeshReply, MeshRequest["kind"]])[] = [
  [
    {
      kind: "gossip",
      known: [true],
      introduce: false,
      ...body({ step: "records", records: [{ claim, status: "dead", accusers, ageMs: 1 }], wanted: ["node_z"] }),
    },
    "gossip",
  ],
  [{ kind: "heartbeat", own, verdict, relay: "nack" }, "heartbeat"],
  [{ kind: "join", own, records: [], lease: null, seenAs: "10.0.0.2:8000" }, "join"],
  [{ kind: "leave" }, "leave"],
  [{ kind: "election", granted: true, lease }, "election"],
  [{ kind: "refused", code: "misdirected", ours: "a", theirs: "b" }, "heartbeat"],
];

describe("messages on the wire", () => {
  test("come back as they were", () => {
    for (const request of requests) expect(decodeRequest(encodeMessage(request), request.kind)).toEqual(request);
    for (const [reply, kind] of replies) expect(decodeReply(encodeMessage(reply), kind)).toEqual(reply);
  });

  test("are taken on their own path only", () => {
    expect(decodeRequest(encodeMessage(requests[0]!), "leave")).toBeNull();
    expect(decodeReply(encodeMessage(replies[3]![0]), "join")).toBeNull();
  });

  test("have bounds", () => {
    const digests = Array.from({ length: 6_001 }, (_, at) => [`n${at}`, 1, 0, 0, 0] as const);
    const tooMany: MeshRequest = { kind: "gossip", round: false, ...body({ step: "digests", buckets: [], digests }) };
    expect(decodeRequest(encodeMessage(tooMany), "gossip")).toBeNull();
    const noId = { ...requests[6]!, candidate: "../../etc" };
    expect(decodeRequest(JSON.stringify(noId), "election")).toBeNull();
    const leap = { kind: "leave", claim: { ...claim, incarnation: 2 ** 40 }, lease: null };
    expect(decodeRequest(JSON.stringify(leap), "leave")).toBeNull();
  });

  test("that are damaged are refused or taken, but never throw", () => {
    const texts = [...requests, ...replies.map(([reply]) => reply)].map(encodeMessage);
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.nat(),
        fc.string({ maxLength: 8 }),
        fc.nat(20),
        (text, at, noise, cut) => {
          const place = at % text.length;
          const damaged = text.slice(0, place) + noise + text.slice(place + cut);
          for (const kind of ["gossip", "heartbeat", "join", "leave", "election"] as const) {
            decodeRequest(damaged, kind);
            decodeReply(damaged, kind);
          }
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(decodeRequest(text, "gossip")).toBeNull();
      }),
    );
  });
});
