/**
 * `npm run sim`: the production core of the mesh in a simulated world. Prints the goal table; exits 1 when a goal is missed
 * or an invariant is broken, and names the seed.
 *
 *   --nodes 1000     the largest mesh of the table
 *   --minutes 10     virtual minutes of each measured mesh
 *   --seeds 100      seeds of each row
 *   --seed N         one swarm seed: prints what it was, and its trace twice
 *   --quick          a small table in a minute
 *   --ci             thousands of short swarm seeds and nothing else
 */
import { parseArgs } from "node:util";

import { createFigures, type Figures, isMet, renderFigures } from "./figures.ts";
import { NONE } from "./goals.ts";
import { runFailovers } from "./leadership.ts";
import { measure } from "./measure.ts";
import { durationsFor, runPartition } from "./partitions.ts";
import { runStarvation, startQuietly, STARVATION_GRID } from "./starvation.ts";
import { runSwarm } from "./swarm.ts";
import { createWorld } from "./world.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000" },
    minutes: { type: "string", default: "10" },
    seeds: { type: "string", default: "100" },
    seed: { type: "string" },
    quick: { type: "boolean", default: false },
    ci: { type: "boolean", default: false },
  },
});
const isQuick = values.quick;
const nodes = isQuick ? Math.min(100, Number(values.nodes)) : Number(values.nodes);
const minutes = isQuick ? 3 : Number(values.minutes);
const seeds = isQuick ? 5 : Number(values.seeds);
const CI_SEEDS = 3_000;
/** How long faults come in a swarm run: a minute of virtual time, half of it where thousands must fit in five real ones. */
const FAULTY_MS = values.ci ? 30_000 : 60_000;
let failed = false;

/** Runs one seed; a failure is printed with what replays it. True when there was none. */
function guarded(seed: bigint, what: string, run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    failed = true;
    console.log(`FAILED ${what}, seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function seedsUpTo(count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => BigInt(index + 1));
}

function replay(seed: bigint): void {
  const runs = [0, 1].map(() => runSwarm(seed, null, FAULTY_MS));
  const [first, second] = runs;
  console.log(`seed ${seed}: ${first!.nodes} nodes, ${first!.messages} messages, faults: ${first!.faults.join(", ")}`);
  console.log(`trace ${first!.trace}, again ${second!.trace}`);
  if (first!.trace !== second!.trace) throw new Error("the same seed gave two traces");
}

function swarm(figures: Figures, count: number): void {
  for (const seed of seedsUpTo(count)) {
    const isWhole = guarded(seed, "swarm", () => runSwarm(seed, null, FAULTY_MS));
    figures.add("invariants broken", "swarm", NONE, isWhole ? 0 : 1);
  }
}

function quiet(figures: Figures): void {
  const sizes = [2, 3, 5, 10, 100, nodes].filter((size, index, all) => size <= nodes && all.indexOf(size) === index);
  for (const size of sizes) {
    for (const seed of seedsUpTo(seeds))
      guarded(seed, `goals at N=${size}`, () => measure(figures, seed, size, minutes));
  }
}

function partitions(figures: Figures): void {
  for (const size of [2, 10, 100].filter((one) => one <= nodes)) {
    for (const durationMs of durationsFor(size, isQuick)) {
      const count = durationMs > 3_600_000 ? Math.ceil(seeds / 10) : seeds;
      for (const seed of seedsUpTo(count))
        guarded(seed, "partition", () => runPartition(figures, seed, size, durationMs));
    }
  }
}

function starvation(figures: Figures): void {
  for (const cell of STARVATION_GRID) {
    const at = `${cell.starved} of 100, ${cell.meanBlockMs / 1_000} s`;
    for (const seed of seedsUpTo(isQuick ? 1 : seeds)) {
      guarded(seed, `starvation of ${at}`, () => {
        const { atHealthy } = runStarvation(seed, cell);
        figures.add("healthy dead at healthy, starved nodes", at, NONE, atHealthy);
      });
    }
  }
}

/** Messages a second of CPU time, of a quiet mesh of the greatest size: what else runs on the machine does not count. */
function speed(figures: Figures): void {
  const world = createWorld(1n);
  startQuietly(world, nodes);
  for (let sample = 0; sample < 5; sample += 1) {
    const before = world.messages();
    const startedAt = process.cpuUsage();
    world.run(world.now() + 60_000);
    const { user, system } = process.cpuUsage(startedAt);
    const rate = ((world.messages() - before) / (user + system)) * 1e6;
    figures.add("simulator speed", `N=${nodes}`, { unit: "/s", p50: 200_000, p99: null }, rate);
  }
}

function main(): void {
  const figures = createFigures();
  const { seed } = values;
  if (seed !== undefined) {
    guarded(BigInt(seed), "replay", () => replay(BigInt(seed)));
    return;
  }
  if (values.ci) swarm(figures, CI_SEEDS);
  else {
    speed(figures);
    quiet(figures);
    partitions(figures);
    starvation(figures);
    for (const seed of seedsUpTo(isQuick ? 2 : seeds)) {
      guarded(seed, "failovers", () => runFailovers(figures, seed, isQuick ? 50 : 1_000));
    }
    swarm(figures, isQuick ? 100 : seeds * 10);
  }
  console.log(renderFigures(figures.all()));
  const again = values.ci ? "--ci --seed N" : "--seed N";
  console.log(`${values.ci ? CI_SEEDS : seeds} seeds from 1; a failing swarm seed replays with ${again}`);
  failed ||= figures.all().some((figure) => !isMet(figure));
}

main();
process.exitCode = failed ? 1 : 0;
