import { randomFillSync } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Clock, Random } from "../core/index.ts";

/** The system's clock. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    async sleep(delayMs, signal) {
      signal?.throwIfAborted();
      try {
        await sleep(delayMs, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
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
