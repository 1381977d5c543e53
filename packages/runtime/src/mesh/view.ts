/**
 * Everybody this node knows of, with a hash of who lives that is kept up to date record by record.
 *
 * I2.  A node never stores itself as suspect, dead or left unless it is leaving (`self` stands outside the members).
 * I10. Members, the dead and tombstones are bounded; what is over the bound is refused or, among the dead, forgotten.
 * V1.  The hash covers exactly the live (alive and suspect) records, this node's own among them: nodes whose live views
 *      are equal have equal hashes. The dead and the left are outside, because each node may forget them in its own time.
 */
import type { Random } from "../core/index.ts";
import { type Hash, hashText, stir } from "./hash.ts";
import type { NodeLoad } from "./messages.ts";
import { type Accuser, type Claim, type MemberRecord, type MemberStatus, STATUS_RANK } from "./record.ts";
import type { MeshSettings } from "./settings.ts";

/** The hash is the sum of so many buckets, so that a repair sends only what differs. */
export const BUCKETS = 16;

/** What this node knows of another. Times are on this node's monotonic clock. */
export interface Member {
  readonly id: string;
  /** The hash of the id; its lowest bits choose the bucket. */
  readonly idHigh: number;
  readonly idLow: number;
  claim: Claim;
  status: MemberStatus;
  accusers: readonly Accuser[];
  /** When the node joined: the earliest that anybody's word allows. */
  bornAtMs: number;
  /** When the status last changed. */
  changedAtMs: number;
  /** Place among the live; -1 for the dead and the left. */
  slot: number;
  contact: Contact | null;
}

/** What this node knows of a peer at first hand. Most pairs of a large mesh have not met yet. */
export interface Contact {
  /** The last sign of life. */
  heardAtMs: number;
  /** The last probe of this node's own that was not answered; -Infinity when the peer spoke since. */
  failedAtMs: number;
  /** The first unanswered probe since the last sign of life; null without doubt. */
  doubtAtMs: number | null;
  /** The slowest recent round trip: jumps up at once, sinks slowly. */
  rttMs: number;
  load: NodeLoad | null;
  degraded: boolean;
  revivals: number;
  revivedAtMs: number;
}

/** The members. See the head of the file. */
export interface View {
  /** The live, in no order. */
  readonly live: readonly Member[];
  get(id: string): Member | undefined;
  all(): IterableIterator<Member>;
  counts(): { readonly live: number; readonly dead: number; readonly left: number };
  /** The live, this node included. */
  size(): number;
  hash(): Hash;
  /** Grows with each change of a record: for those who keep what they computed of the view. */
  revision(): number;
  /** Halves of the bucket hashes: high, low, high, low, .. */
  buckets(): readonly number[];
  /** Stores a record, new or changed. Returns null where there is no room for another member. */
  put(record: MemberRecord, bornAtMs: number, nowMs: number): Member | null;
  /** This node's own record, which the hash covers; null once it has left. */
  setSelf(claim: Claim | null): void;
  /** Forgets who is live, and returns their addresses: after a time outside, who lives is to be learnt anew. */
  forgetLive(): readonly string[];
  /** Drops tombstones that are old enough. */
  expire(nowMs: number): void;
  contact(member: Member): Contact;
  /** A live member other than those excluded; null when there is none. */
  pick(random: Random, excluded: (member: Member) => boolean): Member | null;
  pickDead(random: Random): Member | null;
}

/** An empty view of the node `selfId`. */
export function createView(selfId: string, settings: MeshSettings): View {
  const sums = createSums();
  const pools = createPools(sums, settings);
  const { members, live, dead, left, attach, detach, makeRoom } = pools;
  const [selfHigh, selfLow] = hashText(selfId);
  let selfClaim: Claim | null = null;
  let revision = 0;

  return {
    live,
    get: (id) => members.get(id),
    all: () => members.values(),
    counts: () => ({ live: live.length + 1, dead: dead.size, left: left.size }),
    size: () => live.length + 1,
    hash: sums.hash,
    revision: () => revision,
    buckets: sums.buckets,
    put: (record, bornAtMs, nowMs) => {
      revision += 1;
      const known = members.get(record.claim.id);
      if (known?.status !== record.status && !makeRoom(record.status)) return null;
      const member = known ?? newMember(record, bornAtMs, nowMs);
      if (known === undefined) members.set(member.id, member);
      else {
        detach(member);
        // A new life is as old as it says; within one, the earliest word is the nearest to the truth.
        const reborn = record.claim.boot > member.claim.boot;
        member.bornAtMs = reborn ? bornAtMs : Math.min(member.bornAtMs, bornAtMs);
        if (reborn || member.status !== record.status) member.changedAtMs = nowMs;
      }
      member.claim = record.claim;
      member.status = record.status;
      member.accusers = record.accusers;
      attach(member);
      return member;
    },
    setSelf: (claim) => {
      if (selfClaim !== null) sums.toggle(selfHigh, selfLow, selfClaim, 0);
      selfClaim = claim;
      if (claim !== null) sums.toggle(selfHigh, selfLow, claim, 0);
    },
    forgetLive: () => {
      const gone = [...live];
      for (const member of gone) {
        detach(member);
        members.delete(member.id);
      }
      revision += 1;
      return gone.map(({ claim }) => claim.meta.address);
    },
    expire: (nowMs) => {
      for (const member of left) {
        if (nowMs - member.changedAtMs < settings.tombstoneMs) break;
        left.delete(member);
        members.delete(member.id);
      }
    },
    contact: (member) => (member.contact ??= newContact()),
    pick: (random, excluded) => pickFrom(live, random, excluded),
    pickDead: (random) => {
      if (dead.size === 0) return null;
      let skip = Math.floor(random() * dead.size);
      for (const member of dead) if (skip-- === 0) return member;
      return null;
    },
  };
}

/** The members by status. */
interface Pools {
  readonly members: Map<string, Member>;
  readonly live: Member[];
  readonly dead: Set<Member>;
  readonly left: Set<Member>;
  readonly attach: (member: Member) => void;
  readonly detach: (member: Member) => void;
  /** False when there is no room for one more of that status; makes some among the dead and the left. I10. */
  readonly makeRoom: (status: MemberStatus) => boolean;
}

function createPools(sums: Sums, settings: MeshSettings): Pools {
  const members = new Map<string, Member>();
  const live: Member[] = [];
  const dead = new Set<Member>();
  const left = new Set<Member>();
  const toggle = (member: Member): void =>
    sums.toggle(member.idHigh, member.idLow, member.claim, STATUS_RANK[member.status]);

  const detach = (member: Member): void => {
    if (member.slot >= 0) {
      toggle(member);
      const last = live.pop()!;
      if (last !== member) {
        live[member.slot] = last;
        last.slot = member.slot;
      }
      member.slot = -1;
    } else if (member.status === "dead") dead.delete(member);
    else left.delete(member);
  };

  const attach = (member: Member): void => {
    if (member.status === "dead") dead.add(member);
    else if (member.status === "left") left.add(member);
    else {
      member.slot = live.length;
      live.push(member);
      toggle(member);
    }
  };

  const makeRoom = (status: MemberStatus): boolean => {
    if (status === "alive" || status === "suspect") return live.length + 1 < settings.maxMembers;
    const pool = status === "dead" ? dead : left;
    const bound = status === "dead" ? Math.max(64, 2 * (live.length + 1)) : settings.maxTombstones;
    // Sets keep the order of insertion: the first is the one that has been there the longest.
    for (const oldest of pool) {
      if (pool.size < bound) break;
      pool.delete(oldest);
      members.delete(oldest.id);
    }
    return true;
  };

  return { members, live, dead, left, attach, detach, makeRoom };
}

/** The hash of a set of claims, in buckets: each claim is put in and taken out by the same exclusive or. */
interface Sums {
  readonly toggle: (idHigh: number, idLow: number, claim: Claim, rank: number) => void;
  readonly hash: () => Hash;
  readonly buckets: () => readonly number[];
}

function createSums(): Sums {
  const halves = new Int32Array(BUCKETS * 2);
  return {
    toggle: (idHigh, idLow, claim, rank) => {
      const high = stir(stir(stir(stir(idHigh, claim.boot), claim.incarnation), claim.version), rank);
      const low = stir(stir(stir(stir(idLow, rank), claim.version), claim.incarnation), claim.boot);
      const at = bucketOf(idLow) * 2;
      halves[at] = halves[at]! ^ high;
      halves[at + 1] = halves[at + 1]! ^ low;
    },
    hash: () => {
      let [high, low] = [0, 0];
      for (let at = 0; at < halves.length; at += 2) {
        high ^= halves[at]!;
        low ^= halves[at + 1]!;
      }
      return [high, low];
    },
    buckets: () => [...halves],
  };
}

/** The bucket of a member. */
export function bucketOf(idLow: number): number {
  return idLow & (BUCKETS - 1);
}

/** A random live member that is not excluded: a few throws, then a walk from a random place. */
function pickFrom(live: readonly Member[], random: Random, excluded: (member: Member) => boolean): Member | null {
  if (live.length === 0) return null;
  for (let throws = 0; throws < 4; throws += 1) {
    const member = live[Math.floor(random() * live.length)]!;
    if (!excluded(member)) return member;
  }
  const start = Math.floor(random() * live.length);
  for (let step = 0; step < live.length; step += 1) {
    const member = live[(start + step) % live.length]!;
    if (!excluded(member)) return member;
  }
  return null;
}

function newMember({ claim, status, accusers }: MemberRecord, bornAtMs: number, nowMs: number): Member {
  const [idHigh, idLow] = hashText(claim.id);
  return {
    id: claim.id,
    idHigh,
    idLow,
    claim,
    status,
    accusers,
    bornAtMs,
    changedAtMs: nowMs,
    slot: -1,
    contact: null,
  };
}

function newContact(): Contact {
  return {
    heardAtMs: Number.NEGATIVE_INFINITY,
    failedAtMs: Number.NEGATIVE_INFINITY,
    doubtAtMs: null,
    rttMs: 0,
    load: null,
    degraded: false,
    revivals: 0,
    revivedAtMs: Number.NEGATIVE_INFINITY,
  };
}
