/** A source of random numbers in [0, 1). Injected, so that tests and the simulator are repeatable. */
export type Random = () => number;

/** Makes the ids of a node. Injected with its clock and random source. */
export interface Ids {
  /** A run's id: `run_` and a ULID, so that ids sort by creation time. */
  run(): string;
  /** A session's id: `ses_` and a ULID. */
  session(): string;
  /** A node's id: `node_` and a ULID; made once and kept in the data directory. */
  node(): string;
  /** An id of anything else: the prefix, an underscore and a ULID. */
  make(prefix: string): string;
  /** A W3C trace id: 32 lower-case hex digits, never all zero. */
  trace(): string;
  /** A W3C span id: 16 lower-case hex digits, never all zero. */
  span(): string;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/**
 * A ULID (https://github.com/ulid/spec): 48 bits of milliseconds and 80 random bits in Crockford's base 32.
 * Lower case, because ids are typed by people and stand in URLs.
 */
export function ulid(nowMs: number, random: Random): string {
  let time = "";
  let rest = nowMs;
  for (let digit = 0; digit < 10; digit += 1) {
    time = CROCKFORD.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let entropy = "";
  for (let digit = 0; digit < 16; digit += 1) entropy += CROCKFORD.charAt(Math.floor(random() * 32));
  return (time + entropy).toLowerCase();
}

/** `digits` lower-case hex digits, never all zero. */
export function randomHex(digits: number, random: Random): string {
  let text = "";
  for (let digit = 0; digit < digits; digit += 1) text += Math.floor(random() * 16).toString(16);
  return /[^0]/.test(text) ? text : `${text.slice(0, -1)}1`;
}

/** The ids of a node, from its clock and random source. */
export function createIds(now: () => number, random: Random): Ids {
  const make = (prefix: string): string => `${prefix}_${ulid(now(), random)}`;
  return {
    run: () => make("run"),
    session: () => make("ses"),
    node: () => make("node"),
    make,
    trace: () => randomHex(32, random),
    span: () => randomHex(16, random),
  };
}
