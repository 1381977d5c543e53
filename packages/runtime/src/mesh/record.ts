/**
 * What is known of one node, and how two such pieces of knowledge become one.
 *
 * A record has two halves. The claim is what the node says of itself; it is signed, and only its owner makes one. The
 * status beside it is what others say: accusers (who signed too) hold that the node is suspect or dead.
 *
 * I1. Only the owner raises `boot`, `incarnation` and `version` of a claim.
 * I3. `mergeRecords` is the join of a semilattice (commutative, associative, idempotent), and no result lies below what
 *     went in. Order: boot; then left above all else of that boot; then incarnation; then dead > suspect > alive beside
 *     the greater claim version.
 * I4. Left stands above incarnations, so a node that left, or was removed, comes back with a new boot or not at all.
 */
import { canonicalJson, type JsonObject, type ServiceName } from "../core/index.ts";

/** What a node tells of itself. */
export interface NodeMeta {
  /** The display name: the label, with a suffix where the label was taken. */
  readonly name: string;
  /** Role name for display; null when the node was configured without one. */
  readonly role: string | null;
  readonly services: readonly ServiceName[];
  /** Where peers reach the node: `host:port` or a URL. */
  readonly address: string;
  readonly agents: readonly string[];
  readonly region: string | null;
  readonly tags: readonly string[];
  readonly resources: JsonObject | null;
  /** True while the node finishes what it has and takes nothing new. */
  readonly draining: boolean;
  /** Where the node's sessions and runs are kept; null for a node without a store. */
  readonly store: { readonly id: string; readonly shared: boolean } | null;
  /** The version of the software. */
  readonly release: string;
  readonly features: readonly string[];
}

/** What a node says of itself, as of one version. Immutable. */
export interface Claim {
  readonly id: string;
  /** Grows by one with each start of the node. */
  readonly boot: number;
  /** Raised by the owner to refute an accusation. */
  readonly incarnation: number;
  /** Raised by the owner whenever `meta` or `left` changes. */
  readonly version: number;
  /** True in the owner's last claim: the node left of its own will. */
  readonly left: boolean;
  readonly meta: NodeMeta;
  /** The owner's public key (Ed25519, base64url); empty where records are not signed. */
  readonly key: string;
  /** Over all of the above; empty where records are not signed. */
  readonly signature: string;
}

/** Ordered: what is later in the list wins within one incarnation. */
export type MemberStatus = "alive" | "suspect" | "dead" | "left";

/** One node's word that another does not answer. */
export interface Accuser {
  readonly id: string;
  readonly boot: number;
  /** The host answered, and nothing listens there. */
  readonly refused: boolean;
  /** Over subject, incarnation, accuser and `refused`; empty where records are not signed. */
  readonly signature: string;
}

/** A status other than alive, and who vouches for it. */
export interface Verdict {
  readonly id: string;
  readonly boot: number;
  readonly incarnation: number;
  readonly status: Exclude<MemberStatus, "alive">;
  readonly accusers: readonly Accuser[];
}

/** A claim and what others hold of it. Normal form: `left` and `alive` have no accusers, unless a node was removed. */
export interface MemberRecord {
  readonly claim: Claim;
  readonly status: MemberStatus;
  readonly accusers: readonly Accuser[];
}

/** Accusers that are kept and told on: the first, and the three confirmations that shorten a suspicion the most. */
export const MAX_ACCUSERS = 4;

/** The status as a number, for order and hashes. */
export const STATUS_RANK: Readonly<Record<MemberStatus, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/** Shared, so that a thousand healthy members cost no thousand arrays. */
export const NO_ACCUSERS: readonly Accuser[] = [];

/** Where a record stands among those of its boot: positive when `a` is above `b`, zero when merging decides. */
function compareLives(a: MemberRecord, b: MemberRecord): number {
  if (a.claim.boot !== b.claim.boot) return a.claim.boot - b.claim.boot;
  const left = Number(a.status === "left") - Number(b.status === "left");
  return left === 0 ? a.claim.incarnation - b.claim.incarnation : left;
}

/** Positive when claim `a` is newer than `b`; both of one node. Equal versions that differ are ordered by their text. */
export function compareClaims(a: Claim, b: Claim): number {
  if (a.boot !== b.boot) return a.boot - b.boot;
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation;
  if (a.version !== b.version) return a.version - b.version;
  if (a === b || (a.signature !== "" && a.signature === b.signature)) return 0;
  const [left, right] = [claimText(a), claimText(b)];
  if (left === right) return a.signature < b.signature ? -1 : Number(a.signature > b.signature);
  return left < right ? -1 : 1;
}

/** A claim as text, equal for equal claims: what its owner signs. */
export function claimText(claim: Claim): string {
  const { id, boot, incarnation, version, left, meta, key } = claim;
  return canonicalJson({ id, boot, incarnation, version, left, key, meta: meta as unknown as JsonObject });
}

/** An accusation as text: what an accuser signs. */
export function accusationText(subject: Pick<Verdict, "id" | "boot" | "incarnation">, accuser: Accuser): string {
  const { id, boot, incarnation } = subject;
  return canonicalJson({ id, boot, incarnation, by: accuser.id, byBoot: accuser.boot, refused: accuser.refused });
}

/** The join of two records of one node. Returns `a` itself when `b` adds nothing. */
export function mergeRecords(a: MemberRecord, b: MemberRecord): MemberRecord {
  const lives = compareLives(a, b);
  if (lives !== 0) return lives > 0 ? a : b;
  const claim = compareClaims(b.claim, a.claim) > 0 ? b.claim : a.claim;
  const [high, low] = STATUS_RANK[a.status] >= STATUS_RANK[b.status] ? [a, b] : [b, a];
  const accusers = high.status === "alive" ? NO_ACCUSERS : joinAccusers(high.accusers, low.accusers);
  if (claim === a.claim && high.status === a.status && accusers === a.accusers) return a;
  return { claim, status: high.status, accusers };
}

/**
 * The union of two lists of accusers, of each the stronger word, cut to the first MAX_ACCUSERS of a total order (refused
 * first, then by id), so that cutting keeps the union associative. Returns `a` itself when `b` adds nothing.
 */
export function joinAccusers(a: readonly Accuser[], b: readonly Accuser[]): readonly Accuser[] {
  // Most of what is heard is known; that is found without building anything.
  if (a === b || b.every((accuser) => a.some((known) => known === accuser || compareAccusers(known, accuser) === 0))) {
    return a;
  }
  const byId = new Map<string, Accuser>();
  for (const accuser of [...a, ...b]) {
    const known = byId.get(accuser.id);
    if (known === undefined || compareAccusers(accuser, known) < 0) byId.set(accuser.id, accuser);
  }
  const joined = [...byId.values()].toSorted(compareAccusers).slice(0, MAX_ACCUSERS);
  return joined.length === a.length && joined.every((accuser, index) => compareAccusers(accuser, a[index]!) === 0)
    ? a
    : joined;
}

function compareAccusers(a: Accuser, b: Accuser): number {
  if (a.refused !== b.refused) return a.refused ? -1 : 1;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  if (a.boot !== b.boot) return b.boot - a.boot;
  return a.signature < b.signature ? -1 : Number(a.signature > b.signature);
}
