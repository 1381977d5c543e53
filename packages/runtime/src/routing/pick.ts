/**
 * Which of several nodes gets a request. Pure: the same candidates and the same random numbers give the same answer, and
 * every answer explains itself.
 */
import type { JsonObject, Random } from "../core/index.ts";
import { rendezvousOrder, withinBounds } from "./affinity.ts";

/** How nodes are chosen; see `choose`. Static peers are taken in turn. */
export const PICK_STRATEGIES = ["least_connections", "affinity", "latency", "capability", "round_robin"] as const;

/** The name of a strategy. */
export type PickStrategy = (typeof PICK_STRATEGIES)[number];

/** A node that could serve the request. */
export interface Candidate {
  readonly key: string;
  readonly name: string;
  /** It is this very node. */
  readonly self: boolean;
  readonly region: string | null;
  readonly inFlight: number;
  /** Others' work there, a guess. */
  readonly others: number;
  /** To the first event; null when nothing is known. Milliseconds. */
  readonly latencyMs: number | null;
  /** How well it fits what is asked: tags that match, an agent that is loaded, fewer other duties. Greater is better. */
  readonly fitness: number;
}

/** What decides among them. */
export interface PickContext {
  readonly strategy: PickStrategy;
  /** This node's region; nodes there go first when `localPreference` is set. */
  readonly region: string | null;
  readonly localPreference: boolean;
  /** What should stay on one node, such as a session; null: nothing. */
  readonly affinity: string | null;
  /** Grows with each request, for `round_robin`. */
  readonly turn: number;
  readonly random: Random;
}

/** The choice. */
export interface Pick {
  readonly candidate: Candidate;
  /** In words, for people. */
  readonly why: string;
  /** For the trace: the strategy and what was weighed. */
  readonly explain: JsonObject;
}

/** Chooses; null when there is nobody. */
export function pick(candidates: readonly Candidate[], context: PickContext): Pick | null {
  const { pool, note } = nearest(candidates, context);
  const chosen = choose(pool, context);
  if (chosen === null) return null;
  const { candidate, reason, weighed } = chosen;
  const why = note === null ? reason : `${reason}; ${note}`;
  const explain: JsonObject = {
    strategy: context.strategy,
    node: candidate.name,
    why,
    candidates: candidates.length,
    weighed: weighed.map(({ name, inFlight, others, latencyMs }) => ({
      node: name,
      in_flight: inFlight,
      others: Math.round(others * 10) / 10,
      latency_ms: latencyMs === null ? null : Math.round(latencyMs),
    })),
  };
  return { candidate, why, explain };
}

/** This node first, then its region, where that is wanted and possible. */
function nearest(
  candidates: readonly Candidate[],
  { localPreference, region }: PickContext,
): { readonly pool: readonly Candidate[]; readonly note: string | null } {
  if (!localPreference) return { pool: candidates, note: null };
  const self = candidates.filter((candidate) => candidate.self);
  if (self.length > 0) return { pool: self, note: candidates.length > 1 ? "this node serves itself" : null };
  const near = region === null ? [] : candidates.filter((candidate) => candidate.region === region);
  const narrows = near.length > 0 && near.length < candidates.length;
  return narrows ? { pool: near, note: `in region ${region}` } : { pool: candidates, note: null };
}

interface Choice {
  readonly candidate: Candidate;
  readonly reason: string;
  readonly weighed: readonly Candidate[];
}

/**
 * - `least_connections`: of two at random the one with less work, its own and others'; the faster one when equal.
 * - `latency`: of two at random the one whose latency times its work is least (peak-EWMA).
 * - `capability`: least connections among those that fit best.
 * - `affinity`: a key's own node, bounded; least connections without a key.
 * - `round_robin`: in turn.
 *
 * A key is honoured under every strategy: a session's memory matters more than even load.
 */
function choose(pool: readonly Candidate[], context: PickContext): Choice | null {
  const { strategy, affinity, turn, random } = context;
  const [only, second] = pool;
  if (only === undefined) return null;
  if (second === undefined) return { candidate: only, reason: "the only candidate", weighed: pool };
  if (affinity !== null) return stay(pool, affinity);
  switch (strategy) {
    case "round_robin": {
      const inOrder = pool.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      return { candidate: inOrder[turn % inOrder.length] ?? only, reason: "its turn", weighed: [] };
    }
    case "latency":
      return better(pool, random, costOf, "the lower latency times work of two");
    case "capability": {
      const best = Math.max(...pool.map(({ fitness }) => fitness));
      const fitting = pool.filter(({ fitness }) => fitness === best);
      return better(fitting, random, loadOf, `the less busy of two among the ${fitting.length} that fit best`);
    }
    case "least_connections":
    case "affinity":
      return better(pool, random, loadOf, "the less busy of two");
  }
}

/** A node's work. */
function loadOf({ inFlight, others }: Candidate): number {
  return inFlight + others;
}

/** Peak-EWMA's cost. A node that is not known yet is tried: its latency counts as nothing. */
function costOf(candidate: Candidate): number {
  return (candidate.latencyMs ?? 0) * (loadOf(candidate) + 1);
}

/** The power of two choices (Mitzenmacher 2001). */
function better(
  pool: readonly Candidate[],
  random: Random,
  rank: (candidate: Candidate) => number,
  reason: string,
): Choice | null {
  const first = pool[Math.floor(random() * pool.length)];
  if (first === undefined) return null;
  const others = pool.filter((candidate) => candidate !== first);
  const second = others[Math.floor(random() * others.length)] ?? first;
  const difference = rank(first) - rank(second) || (first.latencyMs ?? 0) - (second.latencyMs ?? 0);
  const candidate = difference <= 0 ? first : second;
  return { candidate, reason: first === second ? "the only one that fits" : reason, weighed: [first, second] };
}

function stay(pool: readonly Candidate[], affinity: string): Choice | null {
  const order = rendezvousOrder(affinity, pool, ({ key }) => key);
  const candidate = withinBounds(order, loadOf);
  if (candidate === null) return null;
  const reason =
    candidate === order[0]
      ? "the session's own node"
      : "the session's next choice: its own node is over 1.25 times the average";
  return { candidate, reason, weighed: order.slice(0, 2) };
}
