/** A source of choices that are the same for the same seed. */
export interface Seeded {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** By weight. */
  weighted<T extends { readonly weight: number }>(from: readonly T[]): T;
  /** Hex digits. */
  hex(digits: number): string;
  /** Another source, the same for the same name; what is drawn from it does not move this one. */
  fork(name: string): Seeded;
}

/** Mulberry32 (Tommy Ettinger, public domain): small, fast, and good enough to spread choices. */
export function createSeeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  return {
    next,
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    pick,
    weighted: (from) => {
      let left = next() * from.reduce((sum, { weight }) => sum + weight, 0);
      const found = from.find(({ weight }) => (left -= weight) < 0);
      return found ?? pick(from);
    },
    hex: (digits) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(""),
    fork: (name) => {
      let forked = seed;
      for (const byte of Buffer.from(name)) forked = Math.imul(forked ^ byte, 16_777_619);
      return createSeeded(forked);
    },
  };
}
