import { describe, expect, test } from "vitest";

import { createFigures, isMet } from "./figures.ts";
import { runFailovers } from "./leadership.ts";
import { measure } from "./measure.ts";
import { runPartition } from "./partitions.ts";
import { isOne, runStarvation, startQuietly } from "./starvation.ts";
import { runSwarm } from "./swarm.ts";
import { createWorld } from "./world.ts";

// Short runs of what `npm run sim` runs at length.
describe("the simulated mesh", () => {
  test.each([0, 1, 2, 3])(
    "survives a swarm of faults, hundred %i: no invariant breaks, every view heals",
    (hundred) => {
      const broken: string[] = [];
      for (let seed = hundred * 100 + 1; seed <= hundred * 100 + 100; seed += 1) {
        try {
          runSwarm(BigInt(seed), null, 20_000);
        } catch (error) {
          broken.push(`seed ${seed}: ${String(error)}`);
        }
      }
      expect(broken).toEqual([]);
    },
  );

  test("runs the same from the same seed, and otherwise from another", () => {
    const traces = [7n, 7n, 8n].map((seed) => runSwarm(seed, 10, 20_000).trace);
    expect(traces[0]).toBe(traces[1]);
    expect(traces[2]).not.toBe(traces[0]);
  });

  test.each([2, 3, 5, 10])("N=%i keeps its goals", (nodes) => {
    const figures = createFigures();
    for (let seed = 1n; seed <= 4n; seed += 1n) measure(figures, seed, nodes, 6);
    // A p99 of so few samples is their maximum, so only the middle is judged here, and that nothing takes for ever.
    const judged = figures.all().map((figure) => ({ ...figure, p99: 30.5 }));
    expect(judged.filter((figure) => !isMet(figure)).map(({ goal, samples }) => ({ goal, samples }))).toEqual([]);
  });

  test.each([2, 10])("N=%i is one again after a partition of ten minutes", (nodes) => {
    const figures = createFigures();
    for (let seed = 1n; seed <= 5n; seed += 1n) runPartition(figures, seed, nodes, 600_000);
    expect(figures.all().every(isMet)).toBe(true);
  });

  test("leaders come and go, and never two epochs are in force", () => {
    const figures = createFigures();
    runFailovers(figures, 1n, 40);
    expect(figures.all().filter((figure) => !isMet(figure))).toEqual([]);
  });

  test("starved nodes get no healthy node declared dead", () => {
    expect(runStarvation(1n, { starved: 4, meanBlockMs: 8_000 }).atHealthy).toBe(0);
  });

  test("quiet nodes send three exchanges each two seconds, whatever the size of the mesh", () => {
    const rates = [10, 50].map((nodes) => {
      const world = createWorld(1n);
      startQuietly(world, nodes);
      expect(isOne(world, nodes)).toBe(true);
      const before = world.messages();
      world.run(world.now() + 60_000);
      return (world.messages() - before) / 60 / nodes;
    });
    for (const rate of rates) expect(rate).toBeCloseTo(3, 0);
  });
});
