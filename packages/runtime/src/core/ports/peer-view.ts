import type { ServiceName } from "../node.ts";

/**
 * How a peer does, as far as this node can tell.
 * - `suspect`: it did not answer lately; it is asked only when nobody else is left.
 * - `draining`: it finishes what it has and takes nothing new; what it holds can still be read.
 */
export type PeerStatus = "alive" | "suspect" | "dead" | "draining";

/** A model provider that a node offers to others. */
export interface OfferedProvider {
  /** The name of the entry, such as `ollama` or `fast-gpu`. */
  readonly name: string;
  readonly type: string;
  /** What it can be asked for; empty when the provider does not list its models. */
  readonly models: readonly string[];
}

/** Where a node keeps its runs and sessions. */
export interface PeerStore {
  readonly id: string;
  /** Other nodes can use the same store, so that any of them may answer for its runs. */
  readonly shared: boolean;
}

/** Another node as this one sees it. */
export interface Peer {
  /** Stable within the view: what in-flight counts and ejections are kept under. */
  readonly key: string;
  /** Null for a static peer that has not answered yet; nothing is sent to it before it has. */
  readonly nodeId: string | null;
  readonly name: string;
  /** Base URL. */
  readonly url: string;
  readonly status: PeerStatus;
  readonly services: readonly ServiceName[];
  /** The agents that it has loaded. */
  readonly agents: readonly string[];
  readonly providers: readonly OfferedProvider[];
  /** Work accepted and not finished, as last heard: a coarse guess for peers that were not asked lately. */
  readonly depth: number;
  readonly store: PeerStore | null;
  readonly region: string | null;
  readonly tags: readonly string[];
  /** Grows or changes when what the peer has loaded does. */
  readonly catalogDigest: string | null;
}

/** The peers of one moment. Immutable: a change makes another. */
export interface PeerSnapshot {
  readonly generation: number;
  /** Every peer that is known, dead ones too; never this node itself. */
  readonly peers: readonly Peer[];
}

/** Who else is there. Static peers and the mesh are the two implementations. */
export interface PeerView {
  current(): PeerSnapshot;
  /** Calls back after each change, never during the call itself; returns what ends it. */
  subscribe(listener: (snapshot: PeerSnapshot) => void): () => void;
  /** Whoever talked to the peer met trouble (or another node at its address): look at it soon. */
  doubt(key: string): void;
}
