import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from "cockatiel";

import type { Clock } from "../core/index.ts";

/** Closed: calls pass. Open: none does. Half open: one does, to see. */
export type BreakerState = "closed" | "open" | "half_open";

/** How a call went, for the breaker: `neutral` when it says nothing of the other side (a refusal, our own abort). */
export type CallOutcome = "success" | "failure" | "neutral";

/** The right to one call. */
export interface Permit {
  /** To be told once; repeated calls change nothing. Resolves when the breaker's state is the new one. */
  settle(outcome: CallOutcome): Promise<void>;
}

/** Rests something that keeps failing. */
export interface Breaker {
  /** Null while resting, and while another call's probe is out. */
  acquire(): Permit | null;
  state(): BreakerState;
  /** How long until a probe may pass; 0 when calls pass. Milliseconds. */
  restLeftMs(): number;
}

/** When to rest, and how long. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open. Milliseconds. */
  readonly restMs: number;
}

/**
 * cockatiel's circuit breaker, with what a streamed call needs around it: the right to call is taken now and the
 * outcome told much later; whoever comes during a probe is turned away at once instead of waiting for its end; a
 * neutral outcome neither counts nor clears; and the rest is measured by the injected monotonic clock (cockatiel
 * reads the wall clock, so it is told that its own rest is over from the start).
 */
export function createBreaker(clock: Clock, options: BreakerOptions): Breaker {
  const policy = circuitBreaker(
    handleWhen((error) => error !== SAYS_NOTHING),
    { halfOpenAfter: Number.NEGATIVE_INFINITY, breaker: new ConsecutiveBreaker(options.failures) },
  );
  let nextRestMs = options.restMs;
  let restUntil = 0;
  policy.onBreak(() => {
    restUntil = clock.monotonic() + nextRestMs;
    nextRestMs = options.restMs;
  });
  const restLeftMs = (): number =>
    policy.state === CircuitState.Open ? Math.max(0, restUntil - clock.monotonic()) : 0;

  return {
    restLeftMs,
    state() {
      if (policy.state === CircuitState.HalfOpen) return "half_open";
      return policy.state === CircuitState.Open ? "open" : "closed";
    },
    acquire() {
      if (policy.state === CircuitState.HalfOpen || restLeftMs() > 0) return null;
      const probing = policy.state === CircuitState.Open;
      let tell: (outcome: CallOutcome) => void = () => {};
      const call = new Promise<void>((resolve, reject) => {
        tell = (outcome) => {
          if (outcome === "success") resolve();
          else if (outcome === "failure") reject(new Error("failed"));
          else if (probing) {
            // To the library this is a failed probe; to us only a lost one: the next call may probe at once.
            nextRestMs = 0;
            reject(new Error("the probe was given up"));
          } else reject(SAYS_NOTHING);
        };
      });
      // `execute` runs its function at once, so the state is `half_open` before the next caller can ask.
      const settled = policy.execute(() => call).catch(() => {});
      return {
        settle(outcome) {
          tell(outcome);
          return settled;
        },
      };
    },
  };
}

const SAYS_NOTHING = new Error("neither a success nor a failure");
