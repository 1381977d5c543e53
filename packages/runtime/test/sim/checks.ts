/**
 * The invariants of the mesh, checked while a world runs. Numbers as in packages/runtime/src/mesh/DESIGN.md. What a run
 * breaks is thrown with the time and the nodes, and replays from the seed.
 */
import type { MemberStatus } from "../../src/mesh/index.ts";
import { isMember, isRunning, type SimNode } from "./node.ts";
import type { World } from "./world.ts";

/** Somebody broke an invariant. */
class BrokenInvariant extends Error {
  constructor(name: string, atMs: number, what: string) {
    super(`${name} at ${(atMs / 1_000).toFixed(3)} s: ${what}`);
    this.name = "BrokenInvariant";
  }
}

/** Watches a world. */
export interface Checks {
  /** Looks at every view now: I1, I2, I3, I4, I10. Costs the square of the number of nodes. */
  views(): void;
  /** At the end of a quiet time: L1, L5 and names. */
  quiet(): void;
  /** L4 and I5: one leader by lease, and the fence held. */
  leader(): void;
}

/** A pause explains what a node does for so long after it. */
const AFTER_PAUSE_MS = 1_000;
const RANK: Readonly<Record<MemberStatus, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/** Checks of `world`. With `isPure` the only faults are nodes that stand still, so nobody awake may be accused by them (I11). */
export function createChecks(world: World, isPure: boolean): Checks {
  const seen = new Map<string, { boot: number; incarnation: number; rank: number }>();
  const broken = (name: string, what: string): never => {
    throw new BrokenInvariant(name, world.now(), what);
  };
  const byId = (): Map<string, SimNode> => new Map(world.nodes.map((node) => [node.id, node]));

  // I6: whoever trusts its lease is the only one to do so, at every step of every node that runs.
  const trusting = new Map<SimNode, number>();
  world.onStep((node) => {
    const isLeading = node.core !== null && node.core.trustedUntilMs() > world.now() * node.rate + node.offsetMs;
    if (!isLeading) trusting.delete(node);
    else trusting.set(node, node.core!.epoch());
    if (trusting.size < 2) return;
    const now = world.now();
    const holders = [...trusting.keys()].filter(
      (one) => isRunning(one, now) && one.core!.trustedUntilMs() > now * one.rate + one.offsetMs,
    );
    if (holders.length > 1) broken("I6", `${holders.map((one) => one.id).join(" and ")} trust their leases`);
  });

  if (isPure) {
    world.onLog((node, event, fields) => {
      if (event !== "mesh_accuse") return;
      const subject = world.nodes.find((one) => one.id === fields["node"]);
      const isAwake = subject !== undefined && subject.core !== null && world.now() - subject.faultAt > 7_000;
      if (isAwake && world.now() - node.faultAt < AFTER_PAUSE_MS)
        broken("I11", `${node.id} slept and accuses ${subject.id}`);
    });
  }

  const checkView = (node: SimNode, real: Map<string, SimNode>): void => {
    const snapshot = node.core!.snapshot();
    if (snapshot.standing === "in" && snapshot.self.status !== "alive")
      broken("I2", `${node.id} is ${snapshot.self.status}`);
    const { live, dead, left, rumours } = node.core!.summary();
    if (live > world.settings.maxMembers || left > world.settings.maxTombstones) broken("I10", `${node.id}: members`);
    if (dead > Math.max(64, 2 * world.nodes.length * 2) || rumours > live + dead + left)
      broken("I10", `${node.id}: lists`);
    for (const { id, boot, incarnation, status } of snapshot.nodes) {
      if (id === node.id) broken("I2", `${node.id} stores itself as ${status}`);
      const subject = real.get(id);
      const mine = subject?.core?.snapshot().self;
      if (subject !== undefined && boot > subject.boot) broken("I1", `${node.id} has boot ${boot} of ${id}`);
      if (mine !== undefined && boot === mine.boot && incarnation > mine.incarnation) {
        broken("I1", `${node.id} has incarnation ${incarnation} of ${id}, which is at ${mine.incarnation}`);
      }
      const key = `${node.index}@${node.boot}.${node.life} ${id}`;
      const before = seen.get(key);
      const rank = RANK[status];
      if (before !== undefined && before.boot === boot) {
        if (incarnation < before.incarnation) broken("I3", `${node.id} went back on ${id}`);
        if (incarnation === before.incarnation && rank < before.rank)
          broken("I3", `${node.id}: ${id} rose to ${status}`);
      } else if (before !== undefined && boot < before.boot) broken("I4", `${node.id} has an earlier life of ${id}`);
      seen.set(key, { boot, incarnation, rank });
    }
  };

  return {
    views: () => {
      const real = byId();
      for (const node of world.nodes) if (isRunning(node, world.now())) checkView(node, real);
    },
    quiet: () => {
      const members = world.nodes.filter(isMember);
      const expected = members.map(({ id, boot }) => `${id}@${boot}`).toSorted();
      for (const node of members) {
        const { nodes, self } = node.core!.snapshot();
        const live = [...nodes.filter(({ status }) => status === "alive"), self].map(({ id, boot }) => `${id}@${boot}`);
        if (live.toSorted().join() !== expected.join()) {
          const missing = expected.filter((one) => !live.includes(one));
          const extra = live.filter((one) => !expected.includes(one));
          broken("L1", `${node.id} lacks [${missing.join(" ")}] and has [${extra.join(" ")}]`);
        }
      }
      const hashes = new Set(members.map((node) => node.core!.summary().hash));
      if (hashes.size > 1) broken("L1", `${hashes.size} hashes of one view`);
      const names = members.map((node) => node.core!.snapshot().self.meta.name);
      if (new Set(names).size < names.length) broken("L5", `names ${names.toSorted().join(" ")}`);
    },
    leader: () => {
      const fault = world.store.fault();
      if (fault !== null) broken("I5", fault);
      const members = world.nodes.filter(isMember);
      if (members.length === 0) return;
      const leaders = new Set(members.map((node) => node.core!.snapshot().leader.id));
      if (world.nodes.some((node) => isMember(node) && node.hasStore)) {
        if (leaders.size !== 1 || leaders.has(null)) broken("L4", `leaders ${[...leaders].join(" ")}`);
        return;
      }
      // Without a store each goes by the ages it sees, which differ by how long messages took: the leader is one of the oldest.
      const ages = new Map(members.map((node) => [node.id, node.core!.snapshot().self.ageMs]));
      const oldest = Math.max(...ages.values());
      for (const leader of leaders) {
        if (leader === null || oldest - (ages.get(leader) ?? 0) > 2_500) broken("L4", `${leader} leads, too young`);
      }
    },
  };
}
