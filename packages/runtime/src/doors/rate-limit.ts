import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

/** How many requests a principal may make. */
export interface RateLimitOptions {
  readonly maxRequests: number;
  /** The window in which they count, in milliseconds. It begins with the first request. */
  readonly windowMs: number;
}

/** Counts requests. */
export interface RateLimiter {
  /** Null when the request is within the limit; otherwise after how many milliseconds to try again. */
  take(principalId: string): Promise<number | null>;
}

/** Limits requests of each principal, counted in this process: each node of a mesh counts its own. */
export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  const limiter = new RateLimiterMemory({ points: options.maxRequests, duration: options.windowMs / 1_000 });
  return {
    async take(principalId) {
      try {
        await limiter.consume(principalId);
        return null;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
        throw refusal;
      }
    },
  };
}
