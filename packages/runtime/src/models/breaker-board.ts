import type { Clock } from "../core/index.ts";
import { createBreaker } from "../net/index.ts";
import type { Breaker, BreakerOptions, BreakerState } from "../net/index.ts";

/** What a breaker watches over. */
export interface BreakerKey {
  /** The provider's name. */
  readonly provider: string;
  readonly model: string;
  readonly endpoint: string | null;
}

/** A breaker and why it may be open. */
export interface WatchedModel {
  readonly breaker: Breaker;
  /** The last failure that counted; null before the first. */
  lastFailure: string | null;
}

/** The breakers of a node. Outlives the registries, so that a reload does not forget which models are down. */
export interface BreakerBoard {
  /** The breaker of a model, made at the first use. */
  watch(key: BreakerKey): WatchedModel;
  /** The worst state among the models of a provider. */
  worst(provider: string): BreakerState;
}

/** After runs.md 11: three failures in a row, a minute of rest, one probe. */
const DEFAULTS: BreakerOptions = { failures: 3, restMs: 60_000 };
/** More models than any node has; agents that come by API may name any number. */
const MOST = 1_000;

/** A board without breakers yet. */
export function createBreakerBoard(clock: Clock, options: Partial<BreakerOptions> = {}): BreakerBoard {
  const settings = { ...DEFAULTS, ...options };
  const models = new Map<string, WatchedModel & { readonly provider: string }>();
  return {
    watch({ provider, model, endpoint }) {
      const key = JSON.stringify([provider, model, endpoint]);
      const known = models.get(key);
      if (known !== undefined) return known;
      const made = { provider, breaker: createBreaker(clock, settings), lastFailure: null };
      if (models.size >= MOST) models.delete(models.keys().next().value ?? key);
      models.set(key, made);
      return made;
    },
    worst(provider) {
      const states = [...models.values()].filter((model) => model.provider === provider).map((m) => m.breaker.state());
      return states.find((state) => state === "open") ?? states.find((state) => state === "half_open") ?? "closed";
    },
  };
}
