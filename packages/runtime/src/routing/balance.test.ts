/**
 * Seeded simulations of the production pick and load estimate against perfect join-shortest-queue: several gateways that
 * do not know of each other, workers with a few slots each, and depth that travels in answers only.
 */
import { expect, test } from "vitest";

import type { Random } from "../core/index.ts";
import { createLoads } from "./load.ts";
import type { Ticket } from "./load.ts";
import { pick } from "./pick.ts";
import type { PickStrategy } from "./pick.ts";

const WORKERS = 10;
const SLOTS = 8;
const GATEWAYS = 4;
const SERVICE_MS = 200;
const NETWORK_MS = 1;
const REQUESTS = 15_000;

type Policy = PickStrategy | "perfect";

/** mulberry32 (Tommy Ettinger, public domain). */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Events in order of their time: a binary heap. */
function createTimeline() {
  const heap: { readonly at: number; readonly run: () => void }[] = [];
  const less = (a: number, b: number): boolean => (heap[a]?.at ?? 0) < (heap[b]?.at ?? 0);
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  };
  return {
    add(at: number, run: () => void): void {
      let index = heap.push({ at, run }) - 1;
      while (index > 0 && less(index, (index - 1) >> 1)) {
        swap(index, (index - 1) >> 1);
        index = (index - 1) >> 1;
      }
    },
    next() {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined || heap.length === 0) return first;
      heap[0] = last;
      for (let index = 0; ;) {
        const [left, right] = [2 * index + 1, 2 * index + 2];
        let smallest = index;
        if (left < heap.length && less(left, smallest)) smallest = left;
        if (right < heap.length && less(right, smallest)) smallest = right;
        if (smallest === index) return first;
        swap(index, smallest);
        index = smallest;
      }
    },
  };
}

/** Response times of one run, in milliseconds, sorted. `slowdown`: how much slower the first worker is. */
function simulate(policy: Policy, seed: number, utilisation: number, slowdown = 1): readonly number[] {
  const random = seeded(seed);
  const timeline = createTimeline();
  let now = 0;
  const clock = { monotonic: () => now };
  const workers = Array.from({ length: WORKERS }, (_, index) => ({
    key: `w${index}`,
    slower: index === 0 ? slowdown : 1,
    busy: 0,
    queue: [] as (() => void)[],
    depth: 0,
  }));
  const gateways = Array.from({ length: GATEWAYS }, () => createLoads(clock));
  const capacity = workers.reduce((sum, { slower }) => sum + SLOTS / slower, 0);
  const betweenMs = SERVICE_MS / (capacity * utilisation);
  const times: number[] = [];
  let turn = 0;

  const choose = (loads: (typeof gateways)[number]): (typeof workers)[number] => {
    if (policy === "perfect") return workers.toSorted((a, b) => a.depth * a.slower - b.depth * b.slower)[0]!;
    const candidates = workers.map(({ key }) => {
      return { key, name: key, self: false, region: null, fitness: 0, ...loads.of(key, "lane", 0) };
    });
    turn += 1;
    const context = { strategy: policy, region: null, localPreference: true, affinity: null, turn, random };
    const key = pick(candidates, context)?.candidate.key;
    return workers.find((worker) => worker.key === key)!;
  };

  const arrive = (sentAt: number, ticket: Ticket, worker: (typeof workers)[number]): void => {
    worker.depth += 1;
    const start = (): void => {
      worker.busy += 1;
      timeline.add(now - Math.log(1 - random()) * SERVICE_MS * worker.slower, () => {
        worker.busy -= 1;
        worker.depth -= 1;
        const { depth } = worker;
        timeline.add(now + NETWORK_MS, () => {
          ticket.firstEvent();
          ticket.end("ok");
          ticket.depth(depth);
          times.push(now - sentAt);
        });
        worker.queue.shift()?.();
      });
    };
    // A run is accepted at once, which is the first answer that carries the depth.
    const accepted = worker.depth;
    timeline.add(now + NETWORK_MS, () => ticket.depth(accepted));
    if (worker.busy < SLOTS) start();
    else worker.queue.push(start);
  };

  let at = 0;
  for (let request = 0; request < REQUESTS; request += 1) {
    at -= Math.log(1 - random()) * betweenMs;
    timeline.add(at, () => {
      const loads = gateways[Math.floor(random() * GATEWAYS)]!;
      const worker = choose(loads);
      const ticket = loads.begin(worker.key, "lane");
      const sentAt = now;
      timeline.add(now + NETWORK_MS, () => arrive(sentAt, ticket, worker));
    });
  }
  for (let event = timeline.next(); event !== undefined; event = timeline.next()) {
    now = event.at;
    event.run();
  }
  return times.toSorted((a, b) => a - b);
}

const p99 = (times: readonly number[]): number => times[Math.floor(times.length * 0.99)] ?? 0;

/** The mean over seeds of the policy's p99 against that of perfect knowledge under the same arrivals. */
function ratio(policy: Policy, utilisation: number, slowdown = 1): number {
  const seeds = [1, 2, 3, 4, 5];
  const ratios = seeds.map(
    (seed) =>
      p99(simulate(policy, seed, utilisation, slowdown)) / p99(simulate("perfect", seed, utilisation, slowdown)),
  );
  return ratios.reduce((sum, one) => sum + one, 0) / ratios.length;
}

test("least_connections: p99 of short calls within 1.05 of perfect join-shortest-queue at 80 % load", () => {
  const least = ratio("least_connections", 0.8);
  expect(least).toBeLessThan(1.05);
});

test("one worker three times slower: both strategies stay near perfect knowledge, taking turns does not", () => {
  const least = ratio("least_connections", 0.65, 3);
  const latency = ratio("latency", 0.65, 3);
  expect(ratio("round_robin", 0.65, 3)).toBeGreaterThan(10);
  expect(least).toBeLessThan(1.3);
  expect(latency).toBeLessThan(1.3);
});
