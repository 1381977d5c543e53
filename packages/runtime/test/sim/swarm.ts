/**
 * Swarm testing (Groce et al., ISSTA 2012): each seed switches a random part of all faults on, so that runs differ in kind.
 * Faults come for a while, then everything is mended, and the mesh must be whole again.
 */
import type { Random } from "../../src/core/index.ts";
import { createChecks } from "./checks.ts";
import { isMember, type SimNode } from "./node.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { createWorld, type World } from "./world.ts";

/** Kinds of faults. */
export const FAULTS = [
  "crash silent",
  "crash refused",
  "new identity",
  "pause",
  "starve",
  "loss",
  "lossy node",
  "one-way cut",
  "partition",
  "duplication",
  "delay",
  "store outage",
  "slow store",
  "leave",
  "late seed",
  "address reuse",
  "fast clock",
  "remove",
  "forgery",
] as const;

/** One kind of fault. */
export type Fault = (typeof FAULTS)[number];

/** Faults that only make nodes stand still. */
const STANDSTILL: ReadonlySet<Fault> = new Set(["pause", "starve", "store outage", "slow store", "duplication"]);

/** What a run was. */
export interface SwarmRun {
  readonly faults: readonly Fault[];
  readonly nodes: number;
  readonly messages: number;
  readonly trace: string;
}

/** Runs one seed; throws BrokenInvariant. `nodes` null: chosen by the seed. */
export function runSwarm(seed: bigint, nodes: number | null, faultyMs: number): SwarmRun {
  const random = createRandom(deriveSeed(seed, 7));
  const world = createWorld(seed);
  const size = nodes ?? chooseSize(random);
  const faults = FAULTS.filter(() => random() < 0.25);
  const checks = createChecks(
    world,
    faults.every((fault) => STANDSTILL.has(fault)),
  );
  populate(world, size, faults, random);
  driveLeader(world);
  world.run(6_000);

  const endAt = world.now() + faultyMs;
  const active = faults.length === 0 ? [] : faults;
  for (let at = world.now(); at < endAt && active.length > 0; at += 500 + random() * 6_000) {
    const fault = active[Math.floor(random() * active.length)]!;
    world.at(at, () => strike(world, fault, random));
  }
  const every = size > 100 ? 20_000 : 1_000;
  while (world.now() < endAt) {
    world.run(Math.min(endAt, world.now() + every));
    checks.views();
  }
  mend(world);
  // A suspicion that began with the last fault may take its whole time; then the views settle.
  world.run(world.now() + 45_000 + size * 20);
  checks.views();
  checks.quiet();
  checks.leader();
  return { faults, nodes: size, messages: world.messages(), trace: world.trace() };
}

function chooseSize(random: Random): number {
  const sizes = [2, 3, 4, 5, 7, 10, 14, 20];
  return sizes[Math.floor(random() * sizes.length)]!;
}

/** Some have the store, some names clash, some clocks are fast. */
function populate(world: World, size: number, faults: readonly Fault[], random: Random): void {
  const hasStore = random() < 0.6;
  const isClashing = random() < 0.3;
  for (let index = 0; index < size; index += 1) {
    const label = isClashing ? `worker` : `node-${index}`;
    world.add({ label, hasStore: hasStore && random() < 0.6, seeds: world.nodes.slice(0, 2) });
  }
  const seeds = world.nodes.slice(0, 2).map(({ address }) => address);
  for (const node of world.nodes) {
    node.seeds = seeds;
    if (faults.includes("fast clock")) node.rate = 1 + (random() - 0.5) * 0.002;
    const isLate = faults.includes("late seed") && node.index === 0;
    world.at(isLate ? 5_000 : random() * 2_000, () => world.start(node));
  }
}

/** Whoever leads by lease writes twice a second, fenced. The store notes what it should never have accepted (I5). */
export function driveLeader(world: World): void {
  const act = (): void => {
    for (const node of world.nodes) {
      if (node.core === null || world.now() < node.pausedUntil) continue;
      const now = world.now() * node.rate + node.offsetMs;
      if (now < node.core.trustedUntilMs()) world.store.write(node.id, node.boot, node.core.epoch());
    }
    world.at(world.now() + 500, act);
  };
  world.at(0, act);
}

function strike(world: World, fault: Fault, random: Random): void {
  const pick = (): SimNode => world.nodes[Math.floor(random() * world.nodes.length)]!;
  const node = pick();
  const soon = (action: () => void): void => world.at(world.now() + 500 + random() * 40_000, action);
  const isUp = node.core !== null;
  switch (fault) {
    case "crash silent":
    case "crash refused":
    case "new identity":
      if (!isUp) return;
      world.crash(node, fault === "crash silent" ? "silent" : "refused");
      soon(() => node.core === null && world.restart(node, fault === "new identity" ? "new" : "same"));
      break;
    case "pause":
      world.pause(node, 300 + random() ** 2 * 60_000);
      break;
    case "starve":
      starve(world, node, world.now() + 30_000, 4_000, random);
      break;
    case "loss":
      world.network.loss = random() * 0.2;
      soon(() => (world.network.loss = 0));
      break;
    case "lossy node":
      world.network.lossAt.set(node.index, 0.8);
      soon(() => world.network.lossAt.delete(node.index));
      break;
    case "one-way cut":
      for (let cuts = 1 + Math.floor(random() * 3); cuts > 0; cuts -= 1) world.network.cut(pick().index, pick().index);
      break;
    case "partition": {
      const salt = Math.floor(random() * 7);
      world.network.partition((index) => (((index + salt) * 7) % 3 === 0 ? 1 : 0));
      soon(() => world.network.partition(null));
      break;
    }
    case "duplication":
      world.network.duplication = random() * 0.2;
      break;
    case "delay":
      world.network.latencyMs = { least: 1, most: 20 + random() * 600 };
      soon(() => (world.network.latencyMs = { least: 0.2, most: 1.5 }));
      break;
    case "store outage":
    case "slow store":
    case "leave":
    case "late seed":
    case "address reuse":
    case "fast clock":
    case "remove":
    case "forgery":
      strikeRest(world, fault, node, random, soon);
  }
}

function strikeRest(
  world: World,
  fault: Fault,
  node: SimNode,
  random: Random,
  soon: (action: () => void) => void,
): void {
  const isUp = node.core !== null;
  if (fault === "store outage") {
    world.store.isUp = false;
    soon(() => (world.store.isUp = true));
  } else if (fault === "slow store") {
    world.store.delayMs = random() * 4_000;
    soon(() => (world.store.delayMs = 2));
  } else if (fault === "leave" && isUp && node.out === null) {
    world.give(node, { kind: "leave" });
    if (random() < 0.5) soon(() => rejoin(world, node));
  } else if (fault === "address reuse" && isUp && node.index > 1) {
    const other = world.nodes[2 + Math.floor(random() * (world.nodes.length - 2))]!;
    if (other === node || other.core === null) return;
    world.crash(node, "silent");
    world.crash(other, "silent");
    [node.address, other.address] = [other.address, node.address];
    world.at(world.now() + 2_000, () => node.core === null && world.restart(node, "new"));
    soon(() => other.core === null && world.restart(other, "same"));
  } else if (fault === "remove" && isUp) {
    const gone = node.core!.snapshot().nodes.find(({ status }) => status === "dead");
    if (gone !== undefined) world.give(node, { kind: "remove", id: gone.id });
  } else if (fault === "forgery" && isUp) forge(world, node, random);
}

/** Somebody inside the mesh (its MAC is right) lies about another node. I7: nothing comes of it. */
function forge(world: World, target: SimNode, random: Random): void {
  const victim = world.nodes[Math.floor(random() * world.nodes.length)]!;
  if (victim.core === null || victim === target) return;
  const { self, hash } = victim.core.snapshot();
  const lie = { id: self.id, boot: self.boot, incarnation: self.incarnation + 5, version: 9, left: random() < 0.5 };
  const accuser = { id: "node_00000", boot: 1, refused: true, signature: "forged" };
  const halves = [Number.parseInt(hash.slice(0, 8), 16) | 0, Number.parseInt(hash.slice(8), 16) | 0] as const;
  world.give(target, {
    kind: "request",
    exchange: -1,
    from: { id: "node_liar", boot: 1 },
    to: target.id,
    remote: null,
    message: {
      kind: "gossip",
      round: false,
      own: { incarnation: 0, version: 0, ageMs: 0, degraded: false, load: self.load! },
      hash: halves,
      news: {
        claims: [{ claim: { ...lie, meta: self.meta, key: `key:${self.id}`, signature: "forged" }, ageMs: 0 }],
        verdicts: [
          { id: self.id, boot: self.boot, incarnation: self.incarnation, status: "dead", accusers: [accuser] },
        ],
      },
      verdict: null,
      lease: null,
      repair: null,
    },
  });
}

/** Blocked for about `meanMs`, then awake for 60 ms, over and over: a node whose CPU is taken away. */
export function starve(world: World, node: SimNode, untilMs: number, meanMs: number, random: Random): void {
  if (world.now() >= untilMs || node.core === null) return;
  const blockMs = meanMs * (0.5 + random());
  world.pause(node, blockMs);
  world.at(world.now() + blockMs + 60, () => starve(world, node, untilMs, meanMs, random));
}

function rejoin(world: World, node: SimNode): void {
  if (node.core === null || node.out === null) return;
  node.boot += 1;
  node.out = null;
  world.give(node, { kind: "rejoin", boot: node.boot });
}

/** Everything works again, and whoever did not mean to leave is back. */
function mend(world: World): void {
  world.network.mend();
  world.network.partition(null);
  world.network.loss = 0;
  world.network.duplication = 0;
  world.network.lossAt.clear();
  world.network.latencyMs = { least: 0.2, most: 1.5 };
  world.store.isUp = true;
  world.store.delayMs = 2;
  const back = (): void => {
    for (const node of world.nodes) {
      if (node.core === null) world.restart(node, "same");
      // Without a seed in the mesh, islands have no way to each other.
      else if (node.out !== null && (node.out === "removed" || node.index < 2)) rejoin(world, node);
    }
  };
  back();
  // Those that were paused when they were removed learn of it now.
  for (const delayMs of [5_000, 15_000]) world.at(world.now() + delayMs, back);
  for (const node of world.nodes) {
    if (world.now() >= node.pausedUntil) continue;
    world.at(node.pausedUntil, () => undefined);
  }
  const latest = Math.max(world.now(), ...world.nodes.map((node) => node.pausedUntil));
  world.run(latest + 1_000);
  if (world.nodes.every((node) => !isMember(node))) for (const node of world.nodes) rejoin(world, node);
}
