/**
 * Which peers this node leaves alone for a while, by its own experience. Never gossiped: what fails from here may serve
 * others well.
 *
 * J1. After 3 connect failures or 5 gateway errors in a row a peer is ejected for 10 s * 2^n (n: ejections before, each
 *     clean minute takes one back), at most 5 min, with jitter so that nodes do not return to it together.
 * J2. At most half of a pool is left out, and never the last of it: those whose time ends soonest come back first.
 * J3. One refused connection is enough to prefer others until the peer has answered again, for a second at the most.
 *
 * After Envoy's outlier detection (consecutive_5xx, base_ejection_time, max_ejection_percent).
 */
import type { Clock, Random } from "../core/index.ts";

/** How a request to a peer went: `gateway_error` is an answer that says the node itself failed. */
export type PeerOutcome = "ok" | "connect_failure" | "gateway_error";

/** The ejections of a node. */
export interface Ejection {
  record(key: string, outcome: PeerOutcome): void;
  /** The keys of a pool that may be asked, in order; empty only for an empty pool. */
  admitted(pool: readonly string[]): readonly string[];
  /** Milliseconds until the peer is asked again; 0 when it may be now. */
  leftMs(key: string): number;
  /** Forgets peers that are not in the view any more. */
  keepOnly(keys: ReadonlySet<string>): void;
}

/** When to eject, and for how long. */
export interface EjectionOptions {
  /** @default 3 */
  readonly connectFailures: number;
  /** @default 5 */
  readonly gatewayErrors: number;
  /** The first ejection. Milliseconds. @default 10000 */
  readonly baseMs: number;
  /** The longest. Milliseconds. @default 300000 */
  readonly maxMs: number;
  /** J3. Milliseconds. @default 1000 */
  readonly avoidMs: number;
}

const DEFAULTS: EjectionOptions = {
  connectFailures: 3,
  gatewayErrors: 5,
  baseMs: 10_000,
  maxMs: 300_000,
  avoidMs: 1_000,
};

/** A clean stretch of this length takes one ejection back. */
const FORGIVE_MS = 60_000;
const JITTER = 0.2;

const CLEAN = { connectFailures: 0, gatewayErrors: 0, ejections: 0, until: 0, avoidUntil: 0 };

interface Standing {
  connectFailures: number;
  gatewayErrors: number;
  ejections: number;
  /** The end of the last ejection, monotonic. */
  until: number;
  /** J3: others are preferred until then. */
  avoidUntil: number;
}

/** Makes an empty record. */
export function createEjection(
  deps: { readonly clock: Pick<Clock, "monotonic">; readonly random: Random },
  given: Partial<EjectionOptions> = {},
): Ejection {
  const options = { ...DEFAULTS, ...given };
  const { clock, random } = deps;
  const standings = new Map<string, Standing>();

  const eject = (standing: Standing, now: number): void => {
    const cleanMs = Math.max(0, now - standing.until);
    const before = Math.max(0, standing.ejections - Math.floor(cleanMs / FORGIVE_MS));
    const forMs = Math.min(options.maxMs, options.baseMs * 2 ** before) * (1 - JITTER / 2 + JITTER * random());
    Object.assign(standing, { connectFailures: 0, gatewayErrors: 0, ejections: before + 1, until: now + forMs });
  };
  const leftMs = (key: string): number => {
    const { until, avoidUntil } = standings.get(key) ?? CLEAN;
    return Math.max(0, until - clock.monotonic(), avoidUntil - clock.monotonic());
  };

  return {
    leftMs,
    record(key, outcome) {
      const now = clock.monotonic();
      const standing = standings.get(key) ?? { ...CLEAN };
      standings.set(key, standing);
      if (outcome === "ok") {
        // Whoever answers is back, whatever was thought of it.
        Object.assign(standing, {
          connectFailures: 0,
          gatewayErrors: 0,
          until: Math.min(standing.until, now),
          avoidUntil: now,
        });
        return;
      }
      if (outcome === "connect_failure") standing.connectFailures += 1;
      else standing.gatewayErrors += 1;
      const { connectFailures, gatewayErrors } = standing;
      if (connectFailures >= options.connectFailures || gatewayErrors >= options.gatewayErrors) eject(standing, now);
      else if (outcome === "connect_failure") standing.avoidUntil = now + options.avoidMs;
    },
    admitted(pool) {
      const least = Math.ceil(pool.length / 2);
      const standing = pool.map((key) => ({ key, left: leftMs(key) }));
      const clean = standing.filter(({ left }) => left === 0);
      if (clean.length >= least) return clean.map(({ key }) => key);
      const soonest = new Set(
        standing
          .toSorted((a, b) => a.left - b.left)
          .slice(0, least)
          .map(({ key }) => key),
      );
      return pool.filter((key) => soonest.has(key));
    },
    keepOnly(keys) {
      for (const key of standings.keys()) if (!keys.has(key)) standings.delete(key);
    },
  };
}
