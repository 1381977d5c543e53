/** The value below which `share` (0 to 1) of the samples lie, by nearest rank. NaN when there are none. */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

/** The middle of the samples: the figure that one noisy round does not move. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}
