/**
 * Doubting oneself before others: most members that are wrongly called dead were called so by a node that was itself
 * ill (Lifeguard, arXiv 1707.00788; the rules here go further, see DESIGN.md).
 *
 * I11. A node that stood still accuses nobody for it: probes that were in flight are void, clocks of suspicion stand.
 * H1.  No verdict on silence unless somebody else was heard since the probe began.
 * H2.  A node whose own probes mostly fail needs two helpers that say the same.
 */
import type { MeshSettings } from "./settings.ts";

/** The node's opinion of its own senses. */
export interface SelfHealth {
  /** Somebody spoke to us, or answered. */
  heard(id: string, nowMs: number): void;
  /** A host refused a connection: proof of a network, though of no node. */
  refused(nowMs: number): void;
  /** The shared store answered. */
  storeAnswered(nowMs: number): void;
  /** Was anybody but `id` heard since then? */
  heardSince(sinceMs: number, id: string): boolean;
  /** Notes how one of our own probes ended, refusals apart. */
  probed(answered: boolean): void;
  /** True unless less than 60 % of the last ten probes were answered. */
  credible(): boolean;
  /** There are peers, and none was heard for `lonelyMs`. */
  lonely(peers: number, nowMs: number): boolean;
  /** The node stood still; the time does not count as silence of others. */
  stalled(lateMs: number): void;
}

const PROBES = 10;
const CREDIBLE = 0.6;
/** Fewer probes than this say nothing. */
const LEAST_PROBES = 4;

/** Good health, from now on. */
export function createSelfHealth(settings: MeshSettings, nowMs: number): SelfHealth {
  // The last to be heard, and the last other one: enough to answer `heardSince` for any peer.
  let last = { id: "", atMs: nowMs };
  let other = { id: "", atMs: Number.NEGATIVE_INFINITY };
  let refusedAtMs = Number.NEGATIVE_INFINITY;
  let storeAtMs = Number.NEGATIVE_INFINITY;
  let outcomes = 0;
  let answered = 0;
  const ring: boolean[] = [];

  return {
    heard: (id, nowMs) => {
      if (last.id === id) last.atMs = nowMs;
      else {
        const spare = other;
        other = last;
        last = spare;
        last.id = id;
        last.atMs = nowMs;
      }
    },
    refused: (nowMs) => {
      refusedAtMs = nowMs;
    },
    storeAnswered: (nowMs) => {
      storeAtMs = nowMs;
    },
    heardSince: (sinceMs, id) => Math.max((last.id === id ? other : last).atMs, refusedAtMs, storeAtMs) >= sinceMs,
    probed: (success) => {
      const at = outcomes % PROBES;
      if (ring[at] === true) answered -= 1;
      ring[at] = success;
      if (success) answered += 1;
      outcomes += 1;
    },
    credible: () => {
      const count = Math.min(outcomes, PROBES);
      return count < LEAST_PROBES || answered / count >= CREDIBLE;
    },
    lonely: (peers, nowMs) => peers > 0 && nowMs - Math.max(last.atMs, refusedAtMs) > settings.lonelyMs,
    stalled: (lateMs) => {
      last.atMs += lateMs;
      other.atMs += lateMs;
      refusedAtMs += lateMs;
      storeAtMs += lateMs;
    },
  };
}
