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

/** Crockford's base 32, in lower case because ids are typed by people and stand in URLs. */
const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

function base32(value: number, digits: number): string {
  let text = "";
  let rest = value;
  for (let digit = 0; digit < digits; digit += 1) {
    text = CROCKFORD.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** A ULID (https://github.com/ulid/spec): 48 bits of milliseconds and 80 random bits, 20 of them a draw. */
function ulid(nowMs: number, random: Random): string {
  let text = base32(nowMs, 10);
  for (let draw = 0; draw < 4; draw += 1) text += base32(Math.floor(random() * 2 ** 20), 4);
  return text;
}

/** `digits` lower-case hex digits, never all zero; 6 of them a draw. */
function randomHex(digits: number, random: Random): string {
  let text = "";
  while (text.length < digits) {
    text += Math.floor(random() * 2 ** 24)
      .toString(16)
      .padStart(6, "0");
  }
  text = text.slice(0, digits);
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
