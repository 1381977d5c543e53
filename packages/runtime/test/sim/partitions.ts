import type { Figures } from "./figures.ts";
import { PARTITION_HEALED } from "./goals.ts";
import { isOne, startQuietly } from "./starvation.ts";
import { createWorld } from "./world.ts";

const MINUTE_MS = 60_000;

/** How long the two halves are apart; a day only where it costs little. */
export function durationsFor(nodes: number, isQuick: boolean): readonly number[] {
  if (isQuick) return [MINUTE_MS, 10 * MINUTE_MS];
  return nodes <= 10 ? [MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS, 1_440 * MINUTE_MS] : [MINUTE_MS, 10 * MINUTE_MS];
}

/** Cuts a mesh in halves, mends it, and measures until all have one view. */
export function runPartition(figures: Figures, seed: bigint, nodes: number, durationMs: number): void {
  const world = createWorld(seed);
  startQuietly(world, nodes);
  const salt = Number(seed % 1_000n);
  const half = new Set(
    world.nodes
      .toSorted((a, b) => ((a.index * 7_919 + salt) % 997) - ((b.index * 7_919 + salt) % 997))
      .slice(0, nodes >> 1)
      .map(({ index }) => index),
  );
  world.network.partition((node) => (half.has(node) ? 1 : 0));
  world.run(world.now() + durationMs);
  world.network.partition(null);
  const healedAt = world.now();
  while (!isOne(world, nodes) && world.now() < healedAt + MINUTE_MS) world.run(world.now() + 100);
  const took = isOne(world, nodes) ? (world.now() - healedAt) / 1_000 : Number.POSITIVE_INFINITY;
  figures.add(`partition of ${durationMs / MINUTE_MS} min heals`, `N=${nodes}`, PARTITION_HEALED, took);
}
