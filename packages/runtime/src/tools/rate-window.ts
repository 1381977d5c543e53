/** Counts calls in a sliding window. */
export interface RateWindow {
  /** Takes a place and returns 0, or returns in how many milliseconds one will be free. */
  take(): number;
}

/** At most `maxCalls` calls within any `windowMs` milliseconds of the monotonic clock `now`. */
export function createRateWindow(limit: { windowMs: number; maxCalls: number }, now: () => number): RateWindow {
  const taken: number[] = [];
  return {
    take: () => {
      const time = now();
      while (taken[0] !== undefined && taken[0] <= time - limit.windowMs) taken.shift();
      if (taken.length < limit.maxCalls) {
        taken.push(time);
        return 0;
      }
      return (taken[0] ?? time) + limit.windowMs - time;
    },
  };
}
