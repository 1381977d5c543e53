import { isRunning, type SimNode } from "./node.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { starve } from "./swarm.ts";
import { createWorld, type World } from "./world.ts";

/** A cell of the grid: how many of a hundred nodes are starved of CPU, and for how long at a time (mean). */
export interface Cell {
  readonly starved: number;
  readonly meanBlockMs: number;
}

/** The cells of Lifeguard's kind of test: blocked for seconds, awake for 60 ms, for two minutes. */
export const STARVATION_GRID: readonly Cell[] = [
  { starved: 1, meanBlockMs: 8_000 },
  { starved: 4, meanBlockMs: 8_000 },
  { starved: 16, meanBlockMs: 8_000 },
  { starved: 32, meanBlockMs: 8_000 },
  { starved: 16, meanBlockMs: 16_000 },
  { starved: 32, meanBlockMs: 16_000 },
];

const NODES = 100;
const STRESS_MS = 120_000;

/** One seed of a cell: healthy nodes that were declared dead, at healthy observers and at starved ones. */
export function runStarvation(
  seed: bigint,
  cell: Cell,
): { readonly atHealthy: number; readonly atStarved: number; readonly messages: number } {
  const world = createWorld(seed);
  startQuietly(world, NODES);
  const random = createRandom(deriveSeed(seed, 3));
  const starved = new Set<SimNode>();
  while (starved.size < cell.starved) starved.add(world.nodes[Math.floor(random() * NODES)]!);
  const ids = new Set([...starved].map(({ id }) => id));
  let [atHealthy, atStarved] = [0, 0];
  world.onLog((observer, event, { node }) => {
    if (event !== "mesh_dead" || ids.has(String(node))) return;
    if (starved.has(observer)) atStarved += 1;
    else atHealthy += 1;
  });
  const endAt = world.now() + STRESS_MS;
  for (const node of starved) {
    world.at(world.now() + random() * cell.meanBlockMs, () => starve(world, node, endAt, cell.meanBlockMs, random));
  }
  world.run(endAt + 30_000);
  return { atHealthy, atStarved, messages: world.messages() };
}

/** Starts `count` nodes on two seeds and lets them settle. */
export function startQuietly(world: World, count: number): void {
  for (let index = 0; index < count; index += 1) world.add({ seeds: world.nodes.slice(0, 2) });
  for (const node of world.nodes) world.at((node.index / count) * 2_000, () => world.start(node));
  world.run(10_000);
}

/** True when all that run have the same view of so many. */
export function isOne(world: World, size: number): boolean {
  const running = world.nodes.filter((node) => isRunning(node, world.now()));
  const first = running[0]?.core?.summary();
  return running.every((node) => {
    const { hash, live } = node.core!.summary();
    return live === size && hash === first?.hash;
  });
}
