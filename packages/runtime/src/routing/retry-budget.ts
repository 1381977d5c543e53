import type { Clock } from "../core/index.ts";

/** What of a node's requests may be retries, over all of them together: retries must not become the load. */
export interface RetryBudget {
  /** A request was made. */
  request(): void;
  /** Takes one retry; false when there is none left. */
  take(): boolean;
}

/** How many. */
export interface RetryBudgetOptions {
  /** Retries for each request. @default 0.2 */
  readonly ratio: number;
  /** Retries that are always allowed, so that a quiet node may retry at all. Per second. @default 10 */
  readonly minPerSecond: number;
  /** How long an unused retry is kept. Milliseconds. @default 10000 */
  readonly keepMs: number;
}

const DEFAULTS: RetryBudgetOptions = { ratio: 0.2, minPerSecond: 10, keepMs: 10_000 };

/**
 * Finagle's retry budget (com.twitter.finagle.service.RetryBudget): 20 % of the requests of the last ten seconds, and ten
 * a second. Kept in slots of a tenth of that time, so that it costs no entry for each request.
 */
export function createRetryBudget(
  clock: Pick<Clock, "monotonic">,
  given: Partial<RetryBudgetOptions> = {},
): RetryBudget {
  const { ratio, minPerSecond, keepMs } = { ...DEFAULTS, ...given };
  const slotMs = keepMs / 10;
  let slots: { readonly at: number; requests: number; retries: number }[] = [];
  const present = (): (typeof slots)[number] => {
    const at = Math.floor(clock.monotonic() / slotMs);
    slots = slots.filter((slot) => slot.at > at - 10);
    const last = slots.at(-1);
    if (last?.at === at) return last;
    const fresh = { at, requests: 0, retries: 0 };
    slots.push(fresh);
    return fresh;
  };
  return {
    request() {
      present().requests += 1;
    },
    take() {
      const slot = present();
      const requests = slots.reduce((sum, each) => sum + each.requests, 0);
      const retries = slots.reduce((sum, each) => sum + each.retries, 0);
      if (retries + 1 > requests * ratio + (minPerSecond * keepMs) / 1_000) return false;
      slot.retries += 1;
      return true;
    },
  };
}
