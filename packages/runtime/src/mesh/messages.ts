/**
 * What nodes say to each other: five requests, their answers, and nothing else. The transport adds the envelope (cluster,
 * protocol, sender's id and boot, receiver's id) in signed headers; wire/mesh.ts checks the shape of what comes in.
 */
import type { Hash } from "./hash.ts";
import type { Claim, MemberRecord, Verdict } from "./record.ts";

/** What changes all the time and stands in no hash. */
export interface NodeLoad {
  readonly activeRequests: number;
  /** Work accepted and not finished, queue included. */
  readonly depth: number;
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  /** How late the main loop runs. */
  readonly loopDelayMs: number;
}

/** A node's word on itself, in every exchange: enough to see that its claim is old, and that it is there. */
export interface OwnState {
  readonly incarnation: number;
  readonly version: number;
  /** Since the node joined, on its own monotonic clock. */
  readonly ageMs: number;
  /** The node hears nobody, or its main loop stands: routing avoids it. */
  readonly degraded: boolean;
  readonly load: NodeLoad;
}

/** A claim on its way. The age is the teller's estimate, placed on the receiver's monotonic clock. */
export interface ClaimNews {
  readonly claim: Claim;
  readonly ageMs: number;
}

/** A whole record on its way: in answers to a join, and in repairs. */
export interface RecordNews extends MemberRecord {
  readonly ageMs: number;
}

/** News, each told until it is spread. */
export interface News {
  readonly claims: readonly ClaimNews[];
  readonly verdicts: readonly Verdict[];
}

/** Who holds the lease, as far as the teller knows. */
export interface LeaseNotice {
  /** Null when the holder resigned. */
  readonly holder: string | null;
  readonly boot: number;
  readonly epoch: number;
  readonly remainingMs: number;
}

/** One member in a repair: id, boot, incarnation, version, status rank. */
export type Digest = readonly [id: string, boot: number, incarnation: number, version: number, rank: number];

/** The steps of a repair: bucket hashes, then digests of the buckets that differ, then the records that differ. */
export type Repair =
  | { readonly step: "buckets"; readonly hashes: readonly number[] }
  | { readonly step: "digests"; readonly buckets: readonly number[]; readonly digests: readonly Digest[] }
  | { readonly step: "records"; readonly records: readonly RecordNews[]; readonly wanted: readonly string[] };

/** What gossip carries in both directions. */
export interface GossipBody {
  readonly own: OwnState;
  readonly hash: Hash;
  readonly news: News;
  /** What the sender holds against the receiver: told first to whom it concerns. */
  readonly verdict: Verdict | null;
  readonly lease: LeaseNotice | null;
  readonly repair: Repair | null;
}

/** POST gossip. A round's exchange is the probe; others carry news or a repair. */
export interface GossipRequest extends GossipBody {
  readonly kind: "gossip";
  readonly round: boolean;
}

/** POST heartbeat. `relay` asks the receiver to probe another node. */
export interface HeartbeatRequest {
  readonly kind: "heartbeat";
  readonly own: OwnState;
  readonly verdict: Verdict | null;
  readonly relay: { readonly id: string; readonly waitMs: number } | null;
}

/** POST join: a node without peers, or one that asks a seed whether the mesh still is where it was. */
export interface JoinRequest {
  readonly kind: "join";
  readonly claim: Claim;
  readonly cluster: string;
  readonly protocol: number;
}

/** POST leave: the owner's last claim, and the lease if it was the owner's. */
export interface LeaveRequest {
  readonly kind: "leave";
  readonly claim: Claim;
  readonly lease: LeaseNotice | null;
}

/** POST election: asks a node with a shared store to try for the lease, or to give it back, for the candidate. */
export interface ElectionRequest {
  readonly kind: "election";
  readonly action: "acquire" | "release";
  readonly candidate: string;
  readonly boot: number;
  /** The epoch that the candidate holds; 0 for none. */
  readonly epoch: number;
}

/** Every request. */
export type MeshRequest = GossipRequest | HeartbeatRequest | JoinRequest | LeaveRequest | ElectionRequest;

/** What a helper found. */
export type RelayResult = "ack" | "nack" | "refused" | "unknown";

/** Every answer. */
export type MeshReply =
  | (GossipBody & {
      readonly kind: "gossip";
      /** For each claim, then each verdict of the request: was it known? */
      readonly known: readonly boolean[];
      /** Asks for the sender's claim: the receiver has none, or an older one. */
      readonly introduce: boolean;
    })
  | {
      readonly kind: "heartbeat";
      readonly own: OwnState;
      readonly verdict: Verdict | null;
      readonly relay: RelayResult | null;
    }
  | {
      readonly kind: "join";
      readonly own: OwnState;
      readonly records: readonly RecordNews[];
      readonly lease: LeaseNotice | null;
      /** The address the request came from, for a node that does not know its own. */
      readonly seenAs: string | null;
    }
  | { readonly kind: "leave" }
  | { readonly kind: "election"; readonly granted: boolean; readonly lease: LeaseNotice | null }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly ours: string; readonly theirs: string };

/** Why a request was turned down. `misdirected` (421): it was meant for another node. */
export type RefusalCode = "misdirected" | "cluster" | "protocol" | "full" | "left" | "self" | "no_store" | "invalid";

/** Nothing to tell. */
export const NO_NEWS: News = { claims: [], verdicts: [] };
