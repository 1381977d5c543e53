/** The goals of the mesh, with default settings, for each size that is simulated. Seconds; p50 and p99. */
import type { Figure } from "./figures.ts";

/** Bounds of a row. */
export type Bounds = Pick<Figure, "unit" | "p50" | "p99">;

const seconds = (p50: number | null, p99: number | null): Bounds => ({ unit: "s", p50, p99 });

/** None may happen. */
export const NONE: Bounds = { unit: "count", p50: null, p99: 0 };

/**
 * With two nodes nobody else can be heard: silence may be one's own, so only age speaks, at `failure_timeout` and
 * `dead_timeout` after the last sign of life. A lone observer looks every two seconds, so a refusal is seen within that.
 */
export function firstSuspectSilent(nodes: number): Bounds {
  return nodes === 2 ? seconds(15, 15.5) : seconds(2.2, 4.5);
}

/** As above. With three nodes each of two observers looks every two seconds. */
export function firstSuspectRefused(nodes: number): Bounds {
  return nodes === 2 ? seconds(1.2, 2.3) : seconds(nodes === 3 ? 0.7 : 0.6, 3.3);
}

/** Known to be dead by every other node. */
export function deadSilent(nodes: number): Bounds {
  if (nodes === 2) return seconds(30, 32);
  if (nodes <= 10) return seconds(6.5, 9);
  return nodes <= 100 ? seconds(11, 13) : seconds(15, 17.5);
}

/** Known to be dead by every other node. */
export function deadRefused(nodes: number): Bounds {
  return nodes <= 100 ? seconds(3, 5) : seconds(4, 7);
}

/** Known to have left by every other node. */
export function leaveKnown(nodes: number): Bounds {
  return seconds(null, nodes <= 100 ? 1 : 2);
}

/** A change of one node's own data, known to every other. */
export function eventKnown(nodes: number): Bounds {
  if (nodes <= 10) return seconds(null, 1);
  return seconds(null, nodes <= 100 ? 1.5 : 2.5);
}

/** Nodes start within two seconds, on one seed: from the first start until all know all. */
export function stormOver(nodes: number): Bounds {
  return seconds(null, nodes <= 100 ? 4 : 15);
}

/** From the end of a partition until all have one view. */
export const PARTITION_HEALED: Bounds = seconds(6, 10);

/** From the end of a leader until there is another. */
export const FAILOVER: Bounds = seconds(null, 17);
