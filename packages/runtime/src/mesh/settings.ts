/** How the mesh behaves. Durations in milliseconds. */
export interface MeshSettings {
  /** Nodes join only a mesh of the same name. */
  readonly cluster: string;
  /** Time between two rounds of exchanges. Shorter finds crashes sooner and costs as much more traffic. */
  readonly gossipIntervalMs: number;
  /** Peers of a round. */
  readonly gossipFanout: number;
  /** A node that has sent nothing for so long sends a heartbeat. */
  readonly heartbeatIntervalMs: number;
  /** A peer that gave no sign of life for so long, though asked, is suspect whatever else is known. */
  readonly failureTimeoutMs: number;
  /** The longest time from the last sign of life until a healthy observer calls a peer dead. */
  readonly deadTimeoutMs: number;
  /** How long an exchange may take before helpers are asked; longer for a peer that is known to be slow. */
  readonly directTimeoutMs: number;
  /** The longest that a slow peer stretches the direct timeout to. */
  readonly directTimeoutMaxMs: number;
  /** How long helpers have. */
  readonly relayTimeoutMs: number;
  /** Helpers of an indirect probe. */
  readonly relayHelpers: number;
  /** The suspicion's shortest time is this times max(1, log10 N). Memberlist's LAN default. */
  readonly suspicionUnitMs: number;
  /** Confirmations that bring a suspicion down to its shortest time. */
  readonly confirmations: number;
  /** From the last needed refusal until dead. */
  readonly refusedGraceMs: number;
  /** Least time between two flushes of news. */
  readonly flushIntervalMs: number;
  /** From news on an idle node until the flush: long enough to gather what comes together. */
  readonly flushDelayMs: number;
  /** How long an HTTP exchange may take in all. A late answer is still a sign of life. */
  readonly requestTimeoutMs: number;
  /** A timer that is this late means that the node itself stood still. */
  readonly stallMs: number;
  /** Without a word from anybody for so long, a node is lonely. */
  readonly lonelyMs: number;
  /** Least time between two repairs of the view that this node begins. */
  readonly repairGapMs: number;
  /** How long a node that left stays known, so that old news cannot bring it back. */
  readonly tombstoneMs: number;
  readonly maxMembers: number;
  readonly maxTombstones: number;
  /** Records in one message; the rest follows in the next. */
  readonly maxRecords: number;
  /** Joining is tried again after this, doubling up to `joinRetryMaxMs`. */
  readonly joinRetryMs: number;
  readonly joinRetryMaxMs: number;
  readonly probationMs: number;
  readonly probationHalfLifeMs: number;
  readonly leaseTtlMs: number;
  readonly leaseRenewMs: number;
  readonly leaseRetryMs: number;
  /** The holder stops this long before its lease ends: room for clocks that run apart. */
  readonly leaseMarginMs: number;
}

/** The defaults of the guides, and for what they leave open those that the simulator was run with. */
export const DEFAULT_SETTINGS: MeshSettings = {
  cluster: "astromesh",
  gossipIntervalMs: 2_000,
  gossipFanout: 3,
  heartbeatIntervalMs: 5_000,
  failureTimeoutMs: 15_000,
  deadTimeoutMs: 30_000,
  directTimeoutMs: 500,
  directTimeoutMaxMs: 2_000,
  relayTimeoutMs: 1_000,
  relayHelpers: 3,
  suspicionUnitMs: 4_000,
  confirmations: 3,
  refusedGraceMs: 1_000,
  flushIntervalMs: 200,
  flushDelayMs: 10,
  requestTimeoutMs: 5_000,
  stallMs: 250,
  lonelyMs: 15_000,
  repairGapMs: 1_000,
  tombstoneMs: 600_000,
  maxMembers: 2_000,
  maxTombstones: 4_000,
  maxRecords: 1_000,
  joinRetryMs: 500,
  joinRetryMaxMs: 8_000,
  probationMs: 60_000,
  probationHalfLifeMs: 300_000,
  leaseTtlMs: 15_000,
  leaseRenewMs: 5_000,
  leaseRetryMs: 2_000,
  leaseMarginMs: 2_000,
};

/** What nodes speak. Raised when a message changes its meaning; nodes of two protocols do not join. */
export const PROTOCOL = 1;
