/** Measures the goals of a quiet mesh: it starts all at once, then single things happen to it one after the other. */
import type { Figures } from "./figures.ts";
import * as goals from "./goals.ts";
import { isMember, type SimNode } from "./node.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { createWorld, type World } from "./world.ts";

/** Who has logged what about one node since the watch began. */
interface Watch {
  readonly firstAt: Map<string, number>;
  readonly observers: Map<string, Set<number>>;
  readonly lastAt: Map<string, number>;
}

/** Runs one seed of `nodes` nodes for `minutes` virtual minutes. Returns the messages it took. */
export function measure(figures: Figures, seed: bigint, nodes: number, minutes: number): number {
  const world = createWorld(seed);
  const random = createRandom(deriveSeed(seed, 99));
  const at = `N=${nodes}`;
  startAll(figures, world, nodes, at);

  let watched = "";
  let watch = newWatch();
  world.onLog((observer, event, fields) => {
    if (fields["node"] !== watched) return;
    if (!watch.firstAt.has(event)) watch.firstAt.set(event, world.now());
    watch.lastAt.set(event, world.now());
    const seen = watch.observers.get(event) ?? new Set();
    watch.observers.set(event, seen.add(observer.index));
  });

  const choose = (): SimNode => world.nodes[Math.floor(random() * nodes)]!;
  /** Lets something happen, then time pass until all others have logged `event`. Returns seconds. */
  const until = (node: SimNode, event: string, limitMs: number, act: () => void): { first: number; all: number } => {
    // Not in step with anything: at a random moment of a round.
    world.run(world.now() + random() * world.settings.gossipIntervalMs);
    watched = node.id;
    watch = newWatch();
    const from = world.now();
    act();
    const others = world.nodes.filter((other) => other !== node && isMember(other)).length;
    while (world.now() < from + limitMs && (watch.observers.get(event)?.size ?? 0) < others) {
      world.run(world.now() + 50);
    }
    const isAll = (watch.observers.get(event)?.size ?? 0) >= others;
    const first = ((watch.firstAt.get("mesh_suspect") ?? Number.POSITIVE_INFINITY) - from) / 1_000;
    return { first, all: isAll ? (watch.lastAt.get(event)! - from) / 1_000 : Number.POSITIVE_INFINITY };
  };
  const settle = (ms: number): void => world.run(world.now() + ms);

  while (world.now() < minutes * 60_000) {
    for (const how of ["silent", "refused"] as const) {
      const node = choose();
      const { first, all } = until(node, "mesh_dead", 45_000, () => world.crash(node, how));
      const isSilent = how === "silent";
      figures.add(
        `first suspect, ${how}`,
        at,
        isSilent ? goals.firstSuspectSilent(nodes) : goals.firstSuspectRefused(nodes),
        first,
      );
      figures.add(`dead everywhere, ${how}`, at, isSilent ? goals.deadSilent(nodes) : goals.deadRefused(nodes), all);
      world.restart(node, "same");
      settle(6_000);
    }
    const leaver = choose();
    const left = until(leaver, "mesh_left", 20_000, () => world.give(leaver, { kind: "leave" }));
    figures.add("leave known to all", at, goals.leaveKnown(nodes), left.all);
    leaver.boot += 1;
    leaver.out = null;
    world.give(leaver, { kind: "rejoin", boot: leaver.boot });
    settle(6_000);
    const teller = choose();
    const agents = [`agent-${Math.round(world.now())}`];
    const told = until(teller, "mesh_claim", 20_000, () => world.give(teller, { kind: "meta", change: { agents } }));
    figures.add("event known to all", at, goals.eventKnown(nodes), told.all);
    settle(3_000);
  }
  return world.messages();
}

/** Starts all within two seconds, on one seed, and measures until all know all. */
function startAll(figures: Figures, world: World, nodes: number, at: string): void {
  const first = world.add();
  for (let index = 1; index < nodes; index += 1) world.add({ seeds: [first] });
  const known = new Map<SimNode, number>();
  const complete = new Set<SimNode>();
  world.onLog((node, event) => {
    if (event !== "mesh_alive" || world.now() > 60_000) return;
    const count = (known.get(node) ?? 0) + 1;
    known.set(node, count);
    if (count === nodes - 1) complete.add(node);
  });
  for (const node of world.nodes) world.at((node.index / nodes) * 2_000, () => world.start(node));
  while (complete.size < nodes && world.now() < 60_000) world.run(world.now() + 20);
  const all = complete.size === nodes ? world.now() / 1_000 : Number.POSITIVE_INFINITY;
  figures.add("join storm, all know all", at, goals.stormOver(nodes), all);
  // A seed that another node may ask when the first one is the one that crashed.
  for (const node of world.nodes)
    world.give(node, { kind: "seeds", addresses: [first.address, world.nodes[1]!.address] });
  world.run(world.now() + 10_000);
}

function newWatch(): Watch {
  return { firstAt: new Map(), observers: new Map(), lastAt: new Map() };
}
