/** The services that a node may enable. `mesh` is reported apart, never inside a services object. */
export const SERVICE_NAMES = [
  "api",
  "agents",
  "inference",
  "memory",
  "tools",
  "channels",
  "rag",
  "observability",
] as const;

/** A subsystem that a node may enable. */
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Which services a node enables. */
export type Services = Readonly<Record<ServiceName, boolean>>;

/** The roles that profiles are shipped for. */
export const ROLES = ["full", "gateway", "worker", "inference"] as const;

/** The role of a node: which of the shipped profiles describes its services. */
export type Role = (typeof ROLES)[number];

/** Who a node is. The id is made once and kept in the data directory; the name is a label. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly name: string;
  /** Grows by one at each start of the daemon on this data directory. */
  readonly boot: number;
}

/** A node known statically through `spec.peers`. */
export interface StaticPeer {
  readonly name: string;
  readonly url: string;
  readonly services: readonly ServiceName[];
}
