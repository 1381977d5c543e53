export { decodeReply, decodeRequest, encodeMessage } from "./codec.ts";
export { createMeshCore } from "./core.ts";
export type { MeshCore, MeshOptions } from "./core.ts";
export type { FailureReason, LeaseOutcome, MeshEffect, MeshInput } from "./effects.ts";
export type { Leader } from "./election.ts";
export { bodyDigest, createRecordSigner, HMAC, meshKey, newNodeKey } from "./keys.ts";
export type {
  ElectionRequest,
  GossipRequest,
  HeartbeatRequest,
  JoinRequest,
  LeaseNotice,
  LeaveRequest,
  MeshReply,
  MeshRequest,
  NodeLoad,
} from "./messages.ts";
export type { Accuser, Claim, MemberRecord, MemberStatus, NodeMeta, Verdict } from "./record.ts";
export { createKeyring, createReplayGuard, UNSIGNED } from "./security.ts";
export type { Envelope, Freshness, Keyring, Mac, MeshKey, RecordSigner, ReplayGuard, Seal } from "./security.ts";
export { DEFAULT_SETTINGS, PROTOCOL } from "./settings.ts";
export type { MeshSettings } from "./settings.ts";
export type { MeshSnapshot, MeshSummary, NodeView } from "./snapshot.ts";
