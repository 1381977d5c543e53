import { describe, expect, test } from "vitest";

import { exampleClaim, exampleOptions } from "../../test/fakes/mesh.ts";
import { createMeshCore, type MeshCore, type MeshOptions } from "./core.ts";
import type { MeshEffect } from "./effects.ts";
import { createRecordSigner, newNodeKey } from "./keys.ts";
import type { MeshReply, MeshRequest, NodeLoad } from "./messages.ts";
import type { Claim } from "./record.ts";
import { UNSIGNED } from "./security.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

const IDLE: NodeLoad = { activeRequests: 0, depth: 0, cpuPercent: 0, memoryPercent: 0, loopDelayMs: 0 };
const OWN = { incarnation: 0, version: 0, ageMs: 60_000, degraded: false, load: IDLE };

type Send = Extract<MeshEffect, { kind: "send" }>;

function sends(effects: readonly MeshEffect[]): Send[] {
  return effects.filter((effect) => effect.kind === "send");
}

function answers(effects: readonly MeshEffect[]): MeshReply[] {
  return effects.flatMap((effect) => (effect.kind === "answer" ? [effect.message] : []));
}

function ask(core: MeshCore, id: string, message: MeshRequest, nowMs = 0, to: string | null = "self") {
  const from = { id, boot: 1 };
  return core.step({ kind: "request", exchange: 1, from, to, remote: "10.9.9.9:1", message }, nowMs);
}

/** A started node that has joined a mesh of these others. */
function joined(others: readonly Claim[], options: Partial<MeshOptions> = {}): MeshCore {
  const core = createMeshCore(exampleOptions("self", { seeds: ["seed:8000"], ...options }), 0);
  core.step({ kind: "start" }, 0);
  const [join] = sends(core.step({ kind: "wake" }, 0));
  const records = others.map((claim) => ({ claim, status: "alive" as const, accusers: [], ageMs: 60_000 }));
  const message: MeshReply = { kind: "join", own: OWN, records, lease: null, seenAs: null };
  const from = { id: others[0]!.id, boot: 1 };
  core.step({ kind: "reply", request: join!.request, from, message }, 1);
  return core;
}

/** Wakes the core whenever it wants, until `untilMs`; every request fails as `reason` after `failMs`. */
function runSilent(core: MeshCore, untilMs: number): MeshEffect[] {
  const all: MeshEffect[] = [];
  while (core.nextWakeMs() <= untilMs) all.push(...core.step({ kind: "wake" }, core.nextWakeMs()));
  return all;
}

function accused(effects: readonly MeshEffect[]): unknown[] {
  return effects.flatMap((effect) =>
    effect.kind === "log" && effect.event === "mesh_accuse" ? [effect.fields["node"]] : [],
  );
}

describe("joining", () => {
  const join = (changes: Partial<Extract<MeshRequest, { kind: "join" }>> = {}): MeshRequest => ({
    kind: "join",
    claim: exampleClaim("new"),
    cluster: "astromesh",
    protocol: 1,
    ...changes,
  });

  test("another cluster or protocol is refused with both values", () => {
    const core = joined([exampleClaim("a")]);
    const [other] = answers(ask(core, "new", join({ cluster: "theirs" })));
    expect(other).toEqual({ kind: "refused", code: "cluster", ours: "astromesh", theirs: "theirs" });
    const [old] = answers(ask(core, "new", join({ protocol: 7 })));
    expect(old).toEqual({ kind: "refused", code: "protocol", ours: "1", theirs: "7" });
  });

  test("M1: an address enters the view only after its owner answered there", () => {
    const core = joined([exampleClaim("a")]);
    const effects = ask(core, "new", join());
    const [challenge] = sends(effects);
    expect(challenge).toMatchObject({ to: { id: "new", address: "new:8000" }, message: { kind: "heartbeat" } });
    expect(core.snapshot().nodes.map(({ id }) => id)).toEqual(["a"]);
    const message: MeshReply = { kind: "heartbeat", own: OWN, verdict: null, relay: null };
    core.step({ kind: "reply", request: challenge!.request, from: { id: "new", boot: 1 }, message }, 5);
    expect(core.snapshot().nodes.map(({ id }) => id)).toEqual(["a", "new"]);
  });

  test("M1: whoever else answers there proves nothing", () => {
    const core = joined([exampleClaim("a")]);
    const [challenge] = sends(ask(core, "new", join()));
    const message: MeshReply = { kind: "heartbeat", own: OWN, verdict: null, relay: null };
    core.step({ kind: "reply", request: challenge!.request, from: { id: "other", boot: 1 }, message }, 5);
    expect(core.snapshot().nodes.map(({ id }) => id)).toEqual(["a"]);
  });

  test("a node whose name is taken chooses a suffix and asks for it to be kept", () => {
    const taken = { ...exampleClaim("a"), meta: { ...exampleClaim("a").meta, name: "self" } };
    const core = joined([taken]);
    expect(core.snapshot().self.meta.name).toBe("self-2");
  });

  test("is tried for ever", () => {
    const core = createMeshCore(exampleOptions("self", { seeds: ["seed:8000"] }), 0);
    core.step({ kind: "start" }, 0);
    let tries = 0;
    while (core.nextWakeMs() < 3_600_000) {
      const nowMs = core.nextWakeMs();
      for (const send of sends(core.step({ kind: "wake" }, nowMs))) {
        tries += 1;
        core.step({ kind: "failed", request: send.request, reason: "refused" }, nowMs);
      }
    }
    expect(tries).toBeGreaterThan(3_600 / 10);
  });
});

describe("a request", () => {
  test("for another node is misdirected, and no sign of life", () => {
    const core = joined([exampleClaim("a")]);
    const heartbeat: MeshRequest = { kind: "heartbeat", own: OWN, verdict: null, relay: null };
    const [reply] = answers(ask(core, "a", heartbeat, 10, "somebody"));
    expect(reply).toEqual({ kind: "refused", code: "misdirected", ours: "self", theirs: "somebody" });
    expect(core.snapshot().nodes[0]).toMatchObject({ silentMs: expect.any(Number) as number });
  });

  test("to leave for somebody else changes nothing", () => {
    const core = joined([exampleClaim("a"), exampleClaim("b")]);
    const claim = exampleClaim("b", { version: 1, left: true });
    ask(core, "a", { kind: "leave", claim, lease: null });
    expect(core.snapshot().nodes.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("with a forged claim changes nothing (I7)", () => {
    const signers = [newNodeKey(), newNodeKey()].map(createRecordSigner);
    const { key: _key, signature: _signature, ...body } = exampleClaim("a");
    const genuine = signers[0]!.signClaim(body);
    const core = joined([genuine], { signer: signers[1]! });
    const before = core.summary().hash;
    const forged = signers[1]!.signClaim({ ...body, version: 5, meta: { ...body.meta, address: "10.6.6.6:80" } });
    for (const claim of [forged, { ...genuine, version: 5 }, { ...genuine, boot: 2, incarnation: 1 }]) {
      const news = { claims: [{ claim, ageMs: 0 }], verdicts: [] };
      const hash: [number, number] = [0, 0];
      ask(core, "b", { kind: "gossip", round: false, own: OWN, hash, news, verdict: null, lease: null, repair: null });
    }
    expect(core.summary().hash).toBe(before);
  });
});

describe("silence", () => {
  const peers = ["a", "b", "c", "d"].map((id) => exampleClaim(id));

  test("of all others is no proof against any of them before their age is", () => {
    const core = joined(peers);
    expect(accused(runSilent(core, 14_000))).toEqual([]);
    expect(new Set(accused(runSilent(core, 25_000)))).toEqual(new Set(["a", "b", "c", "d"]));
  });

  test("that comes of standing still accuses nobody (I11)", () => {
    const core = joined(peers);
    const effects: MeshEffect[] = [];
    for (let awake = 1; awake <= 20; awake += 1) {
      // Awake for an instant every eight seconds: long enough to ask, too short to hear.
      effects.push(...core.step({ kind: "wake" }, awake * 8_000));
    }
    expect(effects.some((effect) => effect.kind === "log" && effect.event === "mesh_stalled")).toBe(true);
    expect(accused(effects)).toEqual([]);
  });

  test("a refused connection is proof at once, and dead follows once others see it too", () => {
    const core = joined(peers);
    const [probe] = sends(runSilent(core, 2_500)).filter(({ message }) => message.kind === "gossip");
    core.step({ kind: "failed", request: probe!.request, reason: "refused" }, 2_600);
    const suspect = core.snapshot().nodes.find(({ status }) => status === "suspect");
    expect(suspect?.id).toBe(probe!.to.id);
    const others = peers.filter(({ id }) => id !== suspect!.id).slice(0, 2);
    const accusers = others.map(({ id }) => UNSIGNED.signAccusation(suspect!, { id, boot: 1, refused: true }));
    const verdict = { id: suspect!.id, boot: 1, incarnation: 0, status: "suspect" as const, accusers };
    ask(
      core,
      others[0]!.id,
      {
        kind: "gossip",
        round: false,
        own: OWN,
        hash: [0, 0],
        news: { claims: [], verdicts: [verdict] },
        verdict: null,
        lease: null,
        repair: null,
      },
      2_700,
    );
    runSilent(core, 2_700 + DEFAULT_SETTINGS.refusedGraceMs);
    expect(core.snapshot().nodes.find(({ id }) => id === suspect!.id)?.status).toBe("dead");
  });
});

describe("what others say of this node", () => {
  const heartbeat = (status: "suspect" | "left", boot = 1): MeshRequest => ({
    kind: "heartbeat",
    own: OWN,
    verdict: {
      id: "self",
      boot,
      incarnation: 0,
      status,
      accusers: [{ id: "a", boot: 1, refused: false, signature: "" }],
    },
    relay: null,
  });

  test("is answered with a higher incarnation (I1, I2)", () => {
    const core = joined([exampleClaim("a")]);
    ask(core, "a", heartbeat("suspect"));
    expect(core.snapshot().self).toMatchObject({ incarnation: 1, status: "alive" });
    ask(core, "a", heartbeat("suspect"));
    expect(core.snapshot().self.incarnation).toBe(1);
    ask(core, "a", heartbeat("suspect", 7));
    expect(core.snapshot().self.incarnation).toBe(1);
  });

  test("removed: it is out, and comes back with a new boot only (I4)", () => {
    const core = joined([exampleClaim("a")]);
    expect(ask(core, "a", heartbeat("left"))).toContainEqual({ kind: "out", reason: "removed" });
    core.step({ kind: "rejoin", boot: 1 }, 10);
    expect(core.snapshot().standing).toBe("removed");
    core.step({ kind: "rejoin", boot: 2 }, 20);
    expect(core.snapshot()).toMatchObject({ standing: "in", self: { boot: 2, incarnation: 0 }, size: 1 });
  });

  test("a later life of the same id takes its place", () => {
    const core = joined([exampleClaim("a")]);
    const news = { claims: [{ claim: exampleClaim("self", { boot: 2 }), ageMs: 0 }], verdicts: [] };
    const gossip = { kind: "gossip", round: false, own: OWN, hash: [0, 0], news, verdict: null } as const;
    const effects = ask(core, "a", { ...gossip, lease: null, repair: null });
    expect(effects).toContainEqual({ kind: "out", reason: "displaced" });
  });
});

test("leaving with nobody to tell is over at once", () => {
  const core = createMeshCore(exampleOptions("self"), 0);
  core.step({ kind: "start" }, 0);
  expect(core.step({ kind: "leave" }, 5)).toContainEqual({ kind: "out", reason: "left" });
  expect(core.nextWakeMs()).toBe(Number.POSITIVE_INFINITY);
});
