import type { Random } from "../core/index.ts";

/** How to space repetitions. */
export interface BackoffOptions {
  /** The longest wait before the first repetition; doubles with each further one. Milliseconds. */
  readonly baseMs: number;
  /** No wait of our own is longer. Milliseconds. */
  readonly capMs: number;
  /** A server that asks for a longer wait than this is not asked again. Milliseconds. */
  readonly retryAfterCapMs: number;
}

/**
 * How long to wait before repetition `attempt` (the first is 1); null when it is not worth waiting.
 *
 * Full jitter, after "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): a uniform share of the
 * exponential step, so that clients that failed together do not return together. A server's `Retry-After` is the
 * least wait. cockatiel's retry is not used here: it sleeps on a timer of its own that no signal ends.
 */
export function retryDelayMs(
  attempt: number,
  retryAfterMs: number | null,
  options: BackoffOptions,
  random: Random,
): number | null {
  if (retryAfterMs !== null && retryAfterMs > options.retryAfterCapMs) return null;
  const stepMs = Math.min(options.capMs, options.baseMs * 2 ** (attempt - 1));
  return Math.max(retryAfterMs ?? 0, Math.round(random() * stepMs));
}

/**
 * The wait that a response asks for, from `retry-after-ms` or `Retry-After` (seconds or an HTTP date, RFC 9110
 * section 10.2.3). Milliseconds; null when it asks for none or cannot be read.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | null {
  const exact = Number(single(headers["retry-after-ms"]) ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return Math.round(exact);
  const text = single(headers["retry-after"])?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Bounds the repetitions that one piece of work may cause, whatever it calls. */
export interface RetryBudget {
  /** Takes one repetition; false when there is none left. */
  take(key: string): boolean;
}

/**
 * A budget of `limit` repetitions per key. Only the newest 10,000 keys are remembered, so that it needs no one to
 * say when a piece of work has ended.
 */
export function createRetryBudget(limit: number): RetryBudget {
  const used = new Map<string, number>();
  return {
    take(key) {
      const count = used.get(key) ?? 0;
      if (count >= limit) return false;
      used.delete(key);
      used.set(key, count + 1);
      if (used.size > 10_000) used.delete(used.keys().next().value ?? key);
      return true;
    },
  };
}
