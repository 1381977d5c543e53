import type { Clock, Run } from "../core/index.ts";
import type { RunStore } from "../core/ports/index.ts";

/** Waits for what becomes of runs: told at once by this node's own, found by polling for those of others. */
export interface RunWatch {
  /** The run has ended, parked or been given up here. */
  changed(runId: string): void;
  /** The run as soon as `reached` holds, else as it stands after `timeoutMs` or when the signal aborts. */
  until(
    runId: string,
    reached: (run: Run) => boolean,
    limit: { readonly timeoutMs: number; readonly signal: AbortSignal | null },
  ): Promise<Run | null>;
}

/** Creates a watch. @param deps.pollMs how often the store is asked about a run that works elsewhere. */
export function createRunWatch(deps: {
  readonly store: Pick<RunStore, "get">;
  readonly clock: Clock;
  readonly pollMs: number;
  /** True while the run works on this node: then its end is told, and until then nobody need look for it. */
  readonly worksHere: (runId: string) => boolean;
}): RunWatch {
  const { store, clock } = deps;
  const listeners = new Map<string, Set<() => void>>();

  const listen = (runId: string, wake: () => void): (() => void) => {
    const set = listeners.get(runId) ?? new Set();
    listeners.set(runId, set.add(wake));
    return () => {
      set.delete(wake);
      if (set.size === 0) listeners.delete(runId);
    };
  };

  return {
    changed: (runId) => {
      for (const wake of listeners.get(runId) ?? []) wake();
    },
    until: async (runId, reached, { timeoutMs, signal }) => {
      const deadline = clock.monotonic() + timeoutMs;
      for (;;) {
        // Listening begins before looking, so that a change in between is not missed.
        const woken = new AbortController();
        const wake = (): void => woken.abort("woken");
        const unlisten = listen(runId, wake);
        signal?.addEventListener("abort", wake);
        try {
          const isOver = (): boolean => clock.monotonic() >= deadline || signal?.aborted === true;
          const told = !isOver() && deps.worksHere(runId);
          const run = told ? null : await store.get(runId);
          if (!told && (run === null || reached(run) || isOver())) return run;
          const leftMs = deadline - clock.monotonic();
          await clock.sleep(told ? leftMs : Math.min(deps.pollMs, leftMs), woken.signal).catch(() => {});
        } finally {
          unlisten();
          signal?.removeEventListener("abort", wake);
        }
      }
    },
  };
}
