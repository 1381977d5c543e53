import { randomFillSync } from "node:crypto";

import type { Clock, Random } from "../core/index.ts";

/** The system's clock. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (delayMs, signal) =>
      // Not `node:timers/promises`: that makes an error with a stack at each abort, and most sleeps are cut short.
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          signal?.removeEventListener("abort", cutShort);
          resolve();
        }, delayMs).unref();
        function cutShort(): void {
          clearTimeout(timer);
          reject(signal?.reason as Error);
        }
        if (signal?.aborted === true) cutShort();
        else signal?.addEventListener("abort", cutShort, { once: true });
      }),
  };
}

/** Numbers in [0, 1) that cannot be guessed, for ids of runs and sessions; drawn from the system in batches. */
export function createSystemRandom(): Random {
  const pool = new Uint32Array(1_024);
  let next = pool.length;
  return () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    const value = pool[next] ?? 0;
    next += 1;
    return value / 0x1_0000_0000;
  };
}
