import { toAstromeshError } from "../core/index.ts";
import type { Clock } from "../core/index.ts";
import type { Logger, Retention, RunStore } from "../core/ports/index.ts";

/** Applies retention again and again. */
export interface Housekeeping {
  start(): void;
  stop(): void;
}

/** Creates the loop that drops what retention says. @param deps.everyMs how often; the first time after one interval. */
export function createHousekeeping(deps: {
  readonly store: Pick<RunStore, "sweep">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retention: Retention;
  readonly everyMs: number;
}): Housekeeping {
  let running: AbortController | null = null;

  const loop = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await deps.clock.sleep(deps.everyMs, signal);
      try {
        const dropped = await deps.store.sweep(deps.retention, deps.clock.now());
        if (Object.values(dropped).some((rows) => rows > 0)) deps.logger.info("old runs were dropped", dropped);
      } catch (thrown) {
        deps.logger.warn("old runs were not dropped", { error: toAstromeshError(thrown) });
      }
    }
  };

  return {
    start: () => {
      if (running !== null) return;
      running = new AbortController();
      loop(running.signal).catch(() => {});
    },
    stop: () => {
      running?.abort(new Error("stopped"));
      running = null;
    },
  };
}
