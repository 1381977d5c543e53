/**
 * The claims of this node on its runs.
 *
 * L1 A lease is held until `leaseMs` after its renewal was asked for, by the monotonic clock: never longer than the
 *    store thinks, whatever the wall clock does.
 * L2 A run whose lease was not renewed in time, or that the store no longer counts as ours, is given up at once.
 * L3 What the store counts as ours and nobody here works on is a stray: its create reached the disk and the answer did
 *    not reach us. A renewal prolongs strays too, so they would never lapse; seen twice in a row, they are reported.
 */
import { toAstromeshError } from "../core/index.ts";
import type { Clock } from "../core/index.ts";
import type { Logger, RunStore } from "../core/ports/index.ts";
import type { RunObserver } from "./observer.ts";

/** What leases work with. Times in milliseconds. */
export interface LeasesDeps {
  readonly store: Pick<RunStore, "renewLeases">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: RunObserver;
  readonly nodeId: string;
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly onLost: (runId: string) => void;
  /** See L3. */
  readonly onStray: (runId: string) => void;
}

/** Keeps the leases of a node. */
export interface Leases {
  /** A claim was asked for at `askedAt` (monotonic) and granted. */
  hold(runId: string, askedAt: number): void;
  /** When the lease ends, on the monotonic clock; in the past when it is not held. */
  endOf(runId: string): number;
  drop(runId: string): void;
  start(): void;
  stop(): void;
}

/** How soon a failed renewal is tried again, and how often lapsed leases are looked for. */
const CHECK_MS = 1_000;

/** Creates the leases of a node. */
export function createLeases(deps: LeasesDeps): Leases {
  const { clock } = deps;
  const ends = new Map<string, number>();
  let running: AbortController | null = null;
  /** Ours by the store's word and unknown here, as of the last renewal. One sighting may be a create on its way. */
  let unknown = new Set<string>();

  const lose = (runId: string): void => {
    if (ends.delete(runId)) deps.onLost(runId);
  };

  const renew = async (): Promise<boolean> => {
    if (ends.size === 0) return true;
    const askedAt = clock.monotonic();
    const asked = [...ends.keys()];
    deps.observer.leaseAge(askedAt - (Math.min(...ends.values()) - deps.leaseMs));
    try {
      const ours = new Set(await deps.store.renewLeases(deps.nodeId, deps.leaseMs, clock.now()));
      for (const runId of asked) {
        if (!ends.has(runId)) continue;
        if (ours.has(runId)) ends.set(runId, askedAt + deps.leaseMs);
        else lose(runId);
      }
      const strays = [...ours].filter((runId) => !ends.has(runId) && !asked.includes(runId));
      for (const runId of strays) if (unknown.has(runId)) deps.onStray(runId);
      unknown = new Set(strays);
      return true;
    } catch (thrown) {
      deps.logger.warn("leases were not renewed", { code: toAstromeshError(thrown).code });
      return false;
    }
  };

  const dropLapsed = (): void => {
    const now = clock.monotonic();
    for (const [runId, end] of ends) if (end <= now) lose(runId);
  };

  const loop = async (everyMs: () => number, work: () => unknown, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(everyMs(), signal);
      await work();
    }
  };

  return {
    hold: (runId, askedAt) => {
      ends.set(runId, askedAt + deps.leaseMs);
    },
    endOf: (runId) => ends.get(runId) ?? Number.NEGATIVE_INFINITY,
    drop: (runId) => {
      ends.delete(runId);
    },
    start: () => {
      if (running !== null) return;
      running = new AbortController();
      const { signal } = running;
      let renewed = true;
      const quiet = (): void => {};
      loop(
        () => (renewed ? deps.renewMs : Math.min(CHECK_MS, deps.renewMs)),
        async () => {
          renewed = await renew();
        },
        signal,
      ).catch(quiet);
      // Apart from the renewals: a store that hangs must not keep a lapsed lease alive.
      loop(() => CHECK_MS, dropLapsed, signal).catch(quiet);
    },
    stop: () => {
      running?.abort(new Error("stopped"));
      running = null;
    },
  };
}
