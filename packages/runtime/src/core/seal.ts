/**
 * What one node signs when it speaks to another, in which bytes, and which counters are fresh. Pure: the function that
 * computes the HMAC is given (net/seal-keys.ts has the real one).
 *
 * Z1. Two envelopes that differ in any field have different bytes under the MAC.
 * Z2. A counter of a sender's boot is accepted at most once, and none that lies behind the window.
 * Z3. A boot that is not known is accepted only after it echoed a challenge, so no wall clocks are needed.
 */

/** What a MAC covers. `part` tells requests from answers, so that neither passes for the other. */
export interface Envelope {
  readonly part: "request" | "answer";
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly cluster: string;
  /** The sender's node id. */
  readonly sender: string;
  readonly boot: number;
  /** The receiver's node id; null only in requests to an address whose owner is unknown. */
  readonly receiver: string | null;
  /** The sender's counter; an answer repeats its request's. */
  readonly counter: number;
  /** Hash of all else that is sent, base64url. */
  readonly digest: string;
}

/** The bytes under the MAC: one field to a line, each preceded by its length (Z1). */
export function envelopeText(envelope: Envelope): string {
  const { part, method, path, cluster, sender, boot, receiver, counter, digest } = envelope;
  return ["maia1", part, method, path, cluster, sender, String(boot), receiver ?? "", String(counter), digest]
    .map((field) => `${field.length}:${field}`)
    .join("\n");
}

/** One secret of the keyring, with the name under which it goes in clear. */
export interface MeshKey {
  /** The first digits of the secret's hash. */
  readonly id: string;
  readonly secret: string;
}

/** Computes a MAC (HMAC-SHA256, base64url) and compares in constant time. */
export interface Mac {
  sign(secret: string, text: string): string;
  verify(secret: string, text: string, mac: string): boolean;
}

/** A MAC and the key that made it. */
export interface Seal {
  readonly keyId: string;
  readonly mac: string;
}

/** Several secrets at once, so that one can replace another while the mesh runs: the first signs, all are accepted. */
export interface Keyring {
  seal(envelope: Envelope): Seal;
  accepts(envelope: Envelope, seal: Seal): boolean;
}

/** A keyring over secrets with their ids. */
export function createKeyring(keys: readonly [MeshKey, ...MeshKey[]], mac: Mac): Keyring {
  const [first] = keys;
  return {
    seal: (envelope) => ({ keyId: first.id, mac: mac.sign(first.secret, envelopeText(envelope)) }),
    accepts: (envelope, seal) =>
      keys.some((key) => key.id === seal.keyId && mac.verify(key.secret, envelopeText(envelope), seal.mac)),
  };
}

/** Verdict on a counter. `unknown_boot`: the sender must first echo a challenge (409), then say it again. */
export type Freshness = "fresh" | "replayed" | "unknown_boot";

/** Remembers counters by sender. Bounded: the sender that was silent the longest is forgotten and introduces itself again. */
export interface ReplayGuard {
  /** Call after the MAC was found right, or a stranger could push the window forward. */
  check(sender: string, boot: number, counter: number): Freshness;
  /** The sender proved with a fresh challenge of ours that this boot is its present one. */
  admit(sender: string, boot: number, counter: number): void;
}

/** Which counters of a sender were seen: the highest, and one bit for each of the last `size` (after RFC 4303, 3.4.3). */
interface Window {
  readonly boot: number;
  highest: number;
  /** Bit `counter % size`. */
  readonly seen: Uint32Array;
}

/**
 * A guard for at most `maxSenders`.
 *
 * @param windowSize how far a counter may lie behind the sender's highest, since concurrent requests overtake each
 * other; a multiple of 32, 4,096 by default (half a KiB for each sender)
 */
export function createReplayGuard(maxSenders: number, windowSize = 4_096): ReplayGuard {
  const windows = new Map<string, Window>();
  /** The newest last. */
  const keep = (sender: string, window: Window): void => {
    windows.delete(sender);
    windows.set(sender, window);
    const [silent] = windows.keys();
    if (windows.size > maxSenders && silent !== undefined) windows.delete(silent);
  };
  return {
    check(sender, boot, counter) {
      const window = windows.get(sender);
      if (window === undefined || boot > window.boot) return "unknown_boot";
      if (boot < window.boot) return "replayed";
      keep(sender, window);
      return mark(window, counter) ? "fresh" : "replayed";
    },
    admit(sender, boot, counter) {
      const known = windows.get(sender);
      if (known !== undefined && known.boot >= boot) return;
      const window: Window = { boot, highest: counter, seen: new Uint32Array(windowSize / 32) };
      setBit(window.seen, counter);
      keep(sender, window);
    },
  };
}

/** Marks a counter as seen; false when it was, or lies behind the window (Z2). */
function mark(window: Window, counter: number): boolean {
  const size = window.seen.length * 32;
  if (counter > window.highest) {
    if (counter - window.highest >= size) window.seen.fill(0);
    else for (let passed = window.highest + 1; passed < counter; passed += 1) clearBit(window.seen, passed);
    window.highest = counter;
    setBit(window.seen, counter);
    return true;
  }
  if (window.highest - counter >= size || getBit(window.seen, counter)) return false;
  setBit(window.seen, counter);
  return true;
}

const wordOf = (seen: Uint32Array, counter: number): number => Math.floor(counter / 32) % seen.length;
const bitOf = (counter: number): number => 1 << (counter % 32);

function getBit(seen: Uint32Array, counter: number): boolean {
  return ((seen[wordOf(seen, counter)] ?? 0) & bitOf(counter)) !== 0;
}

function setBit(seen: Uint32Array, counter: number): void {
  const word = wordOf(seen, counter);
  seen[word] = (seen[word] ?? 0) | bitOf(counter);
}

function clearBit(seen: Uint32Array, counter: number): void {
  const word = wordOf(seen, counter);
  seen[word] = (seen[word] ?? 0) & ~bitOf(counter);
}
