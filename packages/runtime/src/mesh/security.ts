/**
 * The pure part of the mesh's security: what is signed, in which bytes, and which counters are fresh. The functions that
 * compute HMAC and Ed25519 are ports; keys.ts has the real ones.
 *
 * I7. A message with a bad MAC, a repeated counter, another receiver or another cluster changes nothing: it is refused
 *     before the core sees it. Records are checked once more by their owner's signature, whoever brings them.
 */
import type { Accuser, Claim, Verdict } from "./record.ts";

/** Signs this node's records and checks those of others. */
export interface RecordSigner {
  /** Adds the owner's key and signature. */
  signClaim(body: Omit<Claim, "key" | "signature">): Claim;
  /** True when the signature is by the key that the claim names. */
  verifyClaim(claim: Claim): boolean;
  signAccusation(subject: Pick<Verdict, "id" | "boot" | "incarnation">, accuser: Omit<Accuser, "signature">): Accuser;
  /** True when the accuser, whose key is `key`, said this. */
  verifyAccusation(subject: Pick<Verdict, "id" | "boot" | "incarnation">, accuser: Accuser, key: string): boolean;
}

/** For meshes without keys: nothing is signed, everything that arrives is believed. */
export const UNSIGNED: RecordSigner = {
  signClaim: (body) => ({ ...body, key: "", signature: "" }),
  verifyClaim: () => true,
  signAccusation: (_subject, accuser) => ({ ...accuser, signature: "" }),
  verifyAccusation: () => true,
};

/** One secret of the keyring, with the name under which it goes in clear. */
export interface MeshKey {
  /** The first digits of the secret's hash. */
  readonly id: string;
  readonly secret: string;
}

/** What a MAC covers. `part` tells requests from answers, so that neither passes for the other. */
export interface Envelope {
  readonly part: "request" | "answer";
  readonly method: string;
  readonly path: string;
  readonly cluster: string;
  readonly sender: string;
  readonly boot: number;
  /** Null only in requests to an address whose owner is unknown. */
  readonly receiver: string | null;
  /** The sender's counter; an answer repeats its request's. */
  readonly counter: number;
  /** Hash of the body, base64url. */
  readonly digest: string;
}

/** The bytes under the MAC: one field to a line, each preceded by its length, so that no two envelopes share a text. */
export function envelopeText(envelope: Envelope): string {
  const { part, method, path, cluster, sender, boot, receiver, counter, digest } = envelope;
  return ["maia1", part, method, path, cluster, sender, String(boot), receiver ?? "", String(counter), digest]
    .map((field) => `${field.length}:${field}`)
    .join("\n");
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

/** A keyring; `keys` must not be empty. */
export function createKeyring(keys: readonly [MeshKey, ...MeshKey[]], mac: Mac): Keyring {
  const [first] = keys;
  return {
    seal: (envelope) => ({ keyId: first.id, mac: mac.sign(first.secret, envelopeText(envelope)) }),
    accepts: (envelope, seal) =>
      keys.some((key) => key.id === seal.keyId && mac.verify(key.secret, envelopeText(envelope), seal.mac)),
  };
}

/** Which counters of a sender were seen: the highest, and a bit for each of the 64 up to it (as in RFC 4303, 3.4.3). */
interface Window {
  boot: number;
  highest: number;
  /** Bit n is set when `highest - n` was seen; two halves of 32. */
  recent: number;
  older: number;
}

/** How far a counter may lie behind the sender's highest: concurrent requests overtake each other. */
export const WINDOW = 64;

/** Verdict on a counter. `unknown_boot`: the sender must first echo this node's challenge (409), then say it again. */
export type Freshness = "fresh" | "replayed" | "unknown_boot";

/** Remembers counters by sender. Bounded: the sender that was silent the longest is forgotten and introduces itself again. */
export interface ReplayGuard {
  /** Call after the MAC was found right, or a stranger could push the window forward. */
  check(sender: string, boot: number, counter: number): Freshness;
  /** The sender proved with a fresh nonce of ours that this boot is its present one. */
  admit(sender: string, boot: number, counter: number): void;
}

/** A guard for at most `maxSenders`. */
export function createReplayGuard(maxSenders: number): ReplayGuard {
  const windows = new Map<string, Window>();
  return {
    check: (sender, boot, counter) => {
      const window = windows.get(sender);
      if (window === undefined || boot > window.boot) return "unknown_boot";
      if (boot < window.boot) return "replayed";
      windows.delete(sender);
      windows.set(sender, window);
      return slide(window, counter) ? "fresh" : "replayed";
    },
    admit: (sender, boot, counter) => {
      const known = windows.get(sender);
      if (known !== undefined && known.boot >= boot) return;
      windows.delete(sender);
      windows.set(sender, { boot, highest: counter, recent: 1, older: 0 });
      const [silent] = windows.keys();
      if (windows.size > maxSenders && silent !== undefined) windows.delete(silent);
    },
  };
}

/** Marks a counter as seen; false when it was, or lies behind the window. */
function slide(window: Window, counter: number): boolean {
  const ahead = counter - window.highest;
  if (ahead > 0) {
    shift(window, ahead);
    window.highest = counter;
    window.recent |= 1;
    return true;
  }
  const behind = -ahead;
  if (behind >= WINDOW) return false;
  const bit = 1 << (behind & 31);
  const half = behind < 32 ? "recent" : "older";
  if ((window[half] & bit) !== 0) return false;
  window[half] |= bit;
  return true;
}

function shift(window: Window, by: number): void {
  if (by >= WINDOW) {
    window.recent = 0;
    window.older = 0;
  } else if (by >= 32) {
    window.older = by === 32 ? window.recent : window.recent << (by - 32);
    window.recent = 0;
  } else {
    window.older = (window.older << by) | (window.recent >>> (32 - by));
    window.recent <<= by;
  }
}
