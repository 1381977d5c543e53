import type { Clock } from "../../src/core/index.ts";

/** The machine's own clock, for tests that talk to real threads and sockets. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, delayMs).unref();
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

/** A clock that stands still until the test moves it. `sleep` ends when time has passed its end. */
export interface ManualClock extends Clock {
  advance(byMs: number): void;
}

/** Makes a clock that starts at `startMs` milliseconds since the Unix epoch. */
export function manualClock(startMs = 0): ManualClock {
  let now = startMs;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => now,
    monotonic: () => now - startMs,
    sleep: async (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + delayMs, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    advance: (byMs) => {
      now += byMs;
      for (const sleeper of sleepers) {
        if (sleeper.until > now) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
  };
}
