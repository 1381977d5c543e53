import type { Random } from "../../src/core/index.ts";

/** What the network does to messages. Nodes are named by their number. */
export interface SimNetwork {
  /** Milliseconds; each message draws its own between these, so that messages overtake each other. */
  latencyMs: { least: number; most: number };
  /** Part of messages that are lost, in each direction. */
  loss: number;
  /** Part of requests that arrive twice. */
  duplication: number;
  /** Extra loss of all that one node sends and receives. */
  readonly lossAt: Map<number, number>;
  /** Links that carry nothing, in one direction. */
  cut(from: number, to: number): void;
  mend(): void;
  /** Nodes of different sides do not reach each other; null ends it. */
  partition(side: ((node: number) => number) | null): void;
  /** How long the message takes; null when it is lost. */
  carry(from: number, to: number): number | null;
}

/** A network without faults. */
export function createNetwork(random: Random): SimNetwork {
  const cuts = new Set<number>();
  let side: ((node: number) => number) | null = null;
  const network: SimNetwork = {
    latencyMs: { least: 0.2, most: 1.5 },
    loss: 0,
    duplication: 0,
    lossAt: new Map(),
    cut: (from, to) => {
      cuts.add(from * 65_536 + to);
    },
    mend: () => {
      cuts.clear();
    },
    partition: (by) => {
      side = by;
    },
    carry: (from, to) => {
      if (cuts.size > 0 && cuts.has(from * 65_536 + to)) return null;
      if (side !== null && side(from) !== side(to)) return null;
      if (network.loss > 0 && random() < network.loss) return null;
      if (network.lossAt.size > 0) {
        const extra = Math.max(network.lossAt.get(from) ?? 0, network.lossAt.get(to) ?? 0);
        if (extra > 0 && random() < extra) return null;
      }
      const { least, most } = network.latencyMs;
      return least + (most - least) * random();
    },
  };
  return network;
}
