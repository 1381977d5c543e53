import { setImmediate } from "node:timers/promises";

import type { Clock } from "../../src/core/index.ts";

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves the time on, from one sleeper's end to the next, and lets what each of them wakes run before the next one.
   * Work with real I/O may need more turns: wait for its condition with `until`.
   */
  advance(byMs: number): Promise<void>;
  /** How many sleep. */
  sleepers(): number;
}

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/** Turns of the event loop that a woken sleeper gets before time goes on. */
const TURNS = 4;

/** Creates a clock that shows `startMs` since the Unix epoch. */
export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let now = startMs;
  const sleeping = new Set<Sleeper>();

  const next = (until: number): Sleeper | undefined => {
    const due = [...sleeping].filter((sleeper) => sleeper.dueAt <= until);
    return due.toSorted((a, b) => a.dueAt - b.dueAt)[0];
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
  };

  return {
    now: () => now,
    monotonic: () => now - startMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = (): void => {
          sleeping.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          dueAt: now + Math.max(0, delayMs),
          wake: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        sleeping.add(sleeper);
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
    advance: async (byMs) => {
      const end = now + byMs;
      await settle();
      for (let sleeper = next(end); sleeper !== undefined; sleeper = next(end)) {
        sleeping.delete(sleeper);
        now = Math.max(now, sleeper.dueAt);
        sleeper.wake();
        await settle();
      }
      now = end;
      await settle();
    },
    sleepers: () => sleeping.size,
  };
}
