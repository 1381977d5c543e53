import type { Clock } from "../../src/core/index.ts";
import { systemClock } from "./system-clock.ts";

/** A clock that runs so many times faster than the machine's: for tests of long waits over real I/O. */
export function createHastyClock(factor: number): Clock {
  const startedAt = performance.now();
  const startMs = Date.now();
  const passed = (): number => (performance.now() - startedAt) * factor;
  return {
    now: () => startMs + Math.floor(passed()),
    monotonic: passed,
    sleep: (delayMs, signal) => systemClock.sleep(delayMs / factor, signal),
  };
}
