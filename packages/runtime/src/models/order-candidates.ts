import type { ModelCandidate, ModelPolicy } from "../core/index.ts";

/** What the strategies go by. */
export interface OrderFacts {
  /** How many calls this agent has made before; moves `round_robin` on. */
  readonly turn: number;
  /** What a candidate costs, in any unit; null when it is not known. */
  readonly costOf: (candidate: ModelCandidate) => number | null;
}

/**
 * The candidates in the order in which they are asked. The order of the file breaks ties.
 *
 * - `quality_first`: as the file has them.
 * - `round_robin`: as the file has them, beginning one further at each call.
 * - `cost_optimized`: cheapest first; those without a known price last.
 * - `latency_optimized`, `capability_match`: as the file has them, until measured latencies and models' abilities
 *   are kept.
 */
export function orderCandidates(policy: ModelPolicy, facts: OrderFacts): readonly ModelCandidate[] {
  const { candidates, strategy } = policy;
  switch (strategy) {
    case "quality_first":
    case "latency_optimized":
    case "capability_match":
      break;
    case "round_robin": {
      const first = candidates.length === 0 ? 0 : facts.turn % candidates.length;
      return [...candidates.slice(first), ...candidates.slice(0, first)];
    }
    case "cost_optimized": {
      const cost = (candidate: ModelCandidate): number => facts.costOf(candidate) ?? Number.MAX_VALUE;
      return candidates.toSorted((a, b) => cost(a) - cost(b));
    }
  }
  return candidates;
}
