import { createChecks } from "./checks.ts";
import type { Figures } from "./figures.ts";
import { FAILOVER, NONE } from "./goals.ts";
import type { SimNode } from "./node.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { driveLeader } from "./swarm.ts";
import { createWorld, type World } from "./world.ts";

const NODES = 5;
const WITH_STORE = 3;

/**
 * Leaders come and go: killed, paused, cut off from the store, asked to leave. Counts two epochs in force (the checks of I5
 * and I6 throw) and measures how long the mesh is without a leader.
 */
export function runFailovers(figures: Figures, seed: bigint, failovers: number): void {
  const world = createWorld(seed);
  const random = createRandom(deriveSeed(seed, 5));
  const checks = createChecks(world, false);
  for (let index = 0; index < NODES; index += 1) {
    world.add({ seeds: world.nodes.slice(0, 2), hasStore: index < WITH_STORE });
  }
  for (const node of world.nodes) {
    node.seeds = world.nodes.slice(0, 2).map(({ address }) => address);
    node.rate = 1 + (random() - 0.5) * 0.001;
    world.start(node);
  }
  driveLeader(world);
  world.run(30_000);
  for (let done = 0; done < failovers; done += 1) {
    const leader = leaderOf(world);
    if (leader === undefined) {
      world.run(world.now() + 5_000);
      continue;
    }
    world.run(world.now() + random() * 5_000);
    const before = world.store.epoch();
    const from = world.now();
    const hasSleepers = world.nodes.some(
      (node) => node !== leader && (node.core === null || from < node.pausedUntil + 20_000),
    );
    const how = strike(world, leader, random());
    while (world.store.epoch() === before && world.now() < from + 60_000) world.run(world.now() + 100);
    const took = world.store.epoch() > before ? (world.now() - from) / 1_000 : Number.POSITIVE_INFINITY;
    // With the others asleep as well there is nobody to take over; that is no measure of the election.
    if (how !== "pause" && !hasSleepers)
      figures.add(`leader failover, ${how}`, `N=${NODES}`, how === "leave" ? LEAVE : FAILOVER, took);
    figures.add("two epochs in force", "failovers", NONE, world.store.fault() === null ? 0 : 1);
    restore(world, leader);
    // Whatever slept wakes within the minute that a pause may take; some failovers follow each other closely.
    world.run(world.now() + 2_000 + random() * 10_000);
  }
  world.run(world.now() + 90_000);
  checks.leader();
}

const LEAVE = { unit: "s", p50: null, p99: 2 } as const;

function leaderOf(world: World): SimNode | undefined {
  return world.nodes.find(
    (node) =>
      node.core !== null &&
      world.now() >= node.pausedUntil &&
      node.core.trustedUntilMs() > world.now() * node.rate + node.offsetMs,
  );
}

function strike(world: World, leader: SimNode, dice: number): "crash" | "pause" | "leave" {
  if (dice < 0.4) {
    world.crash(leader, dice < 0.2 ? "silent" : "refused");
    return "crash";
  }
  if (dice < 0.8) {
    world.pause(leader, 14_000 + ((dice * 1e6) % 46_000));
    return "pause";
  }
  world.give(leader, { kind: "leave" });
  return "leave";
}

function restore(world: World, node: SimNode): void {
  if (node.core === null) world.restart(node, "same");
  else if (node.out !== null) {
    node.boot += 1;
    node.out = null;
    world.give(node, { kind: "rejoin", boot: node.boot });
  }
}
