import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { EventLoopUtilization } from "node:perf_hooks";

/** How the main thread did within the last whole window. */
export interface LoopHealth {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Share of the window that the thread was busy, 0 to 1. */
  readonly utilization: number;
}

/** Watches how late the main thread's timers fire. */
export interface LoopDelayWatcher {
  start(): void;
  stop(): void;
  /** The last whole window; zeros before the first has passed. */
  current(): LoopHealth;
}

/** Every how many milliseconds the delay is sampled. */
const RESOLUTION_MS = 10;

/**
 * Makes a watcher.
 *
 * @param options.windowMs how long a window is. @default 10000
 * @param options.onWindow is told of each window.
 */
export function createLoopDelayWatcher(options: {
  readonly windowMs?: number;
  readonly onWindow?: (health: LoopHealth) => void;
}): LoopDelayWatcher {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let health: LoopHealth = { p50Ms: 0, p99Ms: 0, maxMs: 0, utilization: 0 };
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  let timer: NodeJS.Timeout | null = null;

  // Node records the time between two samples, so an idle loop shows the resolution itself.
  const delayMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

  const closeWindow = (): void => {
    const now = performance.eventLoopUtilization();
    health = {
      p50Ms: delayMs(histogram.percentile(50)),
      p99Ms: delayMs(histogram.percentile(99)),
      maxMs: delayMs(histogram.max),
      utilization: performance.eventLoopUtilization(now, before).utilization,
    };
    before = now;
    histogram.reset();
    options.onWindow?.(health);
  };

  return {
    start() {
      if (timer !== null) return;
      histogram.enable();
      timer = setInterval(closeWindow, options.windowMs ?? 10_000);
      timer.unref();
    },
    stop() {
      if (timer !== null) clearInterval(timer);
      timer = null;
      histogram.disable();
    },
    current: () => health,
  };
}
