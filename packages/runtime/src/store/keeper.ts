import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { Clock } from "../core/index.ts";
import type { Logger, StoreStatus } from "../core/ports/index.ts";

/** Pause after the first failed attempt; it doubles up to the longest. */
const PAUSE_FIRST_MS = 100;
const PAUSE_LONGEST_MS = 2_000;

/** What a keeper needs. */
export interface KeeperDeps {
  readonly kind: StoreStatus["kind"];
  readonly clock: Clock;
  readonly logger: Logger | null;
  /** Opens what is not open and shows that the database takes writes. Returns the store's id. */
  readonly attempt: () => Promise<string>;
}

/**
 * Gets a database ready and keeps watch over it.
 *
 * Invariants.
 * K1: at most one loop of attempts is under way: of `start` before the first success, of the recovery after it.
 * K2: a store that was ready once and is not now has its recovery under way, until it is stopped.
 */
export function createKeeper({ kind, clock, logger, attempt }: KeeperDeps) {
  const stopping = new AbortController();
  let storeId: string | null = null;
  let reason: string | null = "The store was not started.";
  /** The loop under way (K1); it never rejects. */
  let trying: Promise<void> | null = null;

  async function tryUntilReady(signal: AbortSignal, giveUpWhenHopeless: boolean): Promise<void> {
    let pauseMs = PAUSE_FIRST_MS;
    for (;;) {
      signal.throwIfAborted();
      try {
        const id = await attempt();
        signal.throwIfAborted();
        storeId = id;
        if (reason !== null) logger?.info("store ready", { kind, storeId });
        reason = null;
        return;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = toAstromeshError(thrown);
        if (reason !== error.message) logger?.warn("store not ready", { kind, reason: error.message });
        reason = error.message;
        if (giveUpWhenHopeless && !error.retryable) throw error;
      }
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, PAUSE_LONGEST_MS);
    }
  }

  /** Runs a loop of attempts; `trying` tells whoever stops the store when it is over. */
  async function run(signal: AbortSignal, giveUpWhenHopeless: boolean): Promise<void> {
    const loop = tryUntilReady(signal, giveUpWhenHopeless);
    trying = loop.catch(() => {});
    try {
      await loop;
    } finally {
      trying = null;
    }
  }

  async function recover(): Promise<void> {
    try {
      await run(stopping.signal, false);
    } catch {
      // It rejects only because the store is being stopped.
    }
  }

  return {
    /** Tries until it works; rejects when `signal` aborts, or for what no retry can mend. */
    async start(signal: AbortSignal): Promise<void> {
      await run(AbortSignal.any([signal, stopping.signal]), true);
    },

    /** Tells of an error that a read or a write met; one of the database itself begins the recovery. */
    trouble(error: AstromeshError): void {
      const isOutage = error.code === "store_unavailable" || error.code === "store_full";
      if (!isOutage || storeId === null || trying !== null || stopping.signal.aborted) return;
      logger?.error("store lost", { kind, reason: error.message, cause: error.cause });
      reason = error.message;
      void recover();
    },

    /** Ends a start or a recovery under way. Idempotent. */
    async stop(): Promise<void> {
      stopping.abort(storeStopped());
      await trying;
      reason = "The store was stopped.";
    },

    status: (): StoreStatus => ({ kind, ready: reason === null, reason, storeId }),
  };
}

function storeStopped(): AstromeshError {
  return new AstromeshError("store_unavailable", "The store was stopped.", { retryable: false });
}
