import type { MeshCore, MeshInput, NodeMeta } from "../../src/mesh/index.ts";

/** A machine with one process on it. */
export interface SimNode {
  readonly index: number;
  id: string;
  boot: number;
  address: string;
  readonly label: string;
  readonly hasStore: boolean;
  meta: NodeMeta;
  seeds: readonly string[];
  /** Null while the process does not run. */
  core: MeshCore | null;
  /** `refused`: the machine runs and the process does not. */
  state: "up" | "refused" | "silent";
  /** Grows with each start, so that events of an earlier life are known. */
  life: number;
  /** The node's monotonic clock: `world time * rate + offset`. */
  rate: number;
  offsetMs: number;
  /** When the next wake is scheduled. */
  wakeAt: number;
  pausedUntil: number;
  /** The end of the last fault of the process itself. */
  faultAt: number;
  /** What came in while the process stood still. */
  readonly inbox: MeshInput[];
  /** Why the node is out of the mesh; null while it is in. */
  out: "left" | "removed" | "displaced" | null;
}

/** True when the process runs and does not stand still. */
export function isRunning(node: SimNode, nowMs: number): boolean {
  return node.core !== null && nowMs >= node.pausedUntil;
}

/** True when the node belongs to the mesh as it really is. */
export function isMember(node: SimNode): boolean {
  return node.core !== null && node.out === null;
}
