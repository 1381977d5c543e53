/** What a model call or a run used. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** United States dollars by the price table; null when a model in it has no price. */
  readonly costUsd: number | null;
}

/** Nothing used. */
export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** The sum of two usages; the cost is unknown as soon as one part's is. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd === null || b.costUsd === null ? null : a.costUsd + b.costUsd,
  };
}
