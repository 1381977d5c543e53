/** What every request between nodes carries, and what a node says of itself to its peers. */
import { z } from "zod";

import { SCOPES, SERVICE_NAMES } from "../core/index.ts";

/** Headers between nodes, in lower case. */
export const PEER_HEADERS = {
  /** `<node id> <boot> <counter>` of the sender. */
  sender: "x-astromesh-sender",
  /** The node id that the request is meant for; left out while it is unknown. */
  receiver: "x-astromesh-receiver",
  cluster: "x-astromesh-cluster",
  /** A PeerContext as base64url JSON. */
  context: "x-astromesh-context",
  /** The challenge of a 409, sent back. */
  echo: "x-astromesh-echo",
  /** `<key id> <mac>` over all of the above and the body. */
  seal: "x-astromesh-seal",
  /** In a 409: what to echo. */
  challenge: "x-astromesh-challenge",
  /** In answers: runs that the answering node has accepted and not finished. */
  depth: "x-astromesh-depth",
  /** In answers of the inference route: model calls under way on the answering node. */
  modelDepth: "x-astromesh-model-depth",
  /** In errors: nothing was begun, so another node may be asked. */
  notStarted: "x-astromesh-not-started",
} as const;

/** On whose behalf a node asks, and what the request has behind it. */
export const peerContext = z.object({
  /** Null: the sending node itself. */
  principal: z.object({ id: z.string().min(1).max(200), scopes: z.array(z.enum(SCOPES)) }).nullable(),
  /** Ids of the nodes that forwarded the request, the first first. */
  via: z.array(z.string().max(128)).max(16),
  /** How long the sender waits at the most, milliseconds; null: as long as it takes. */
  deadline_ms: z.number().int().min(0).nullable(),
});
/** See `peerContext`. */
export type PeerContext = z.infer<typeof peerContext>;

/** The body of `POST /v1/peer/status`: what a node says of itself to its peers. */
export const peerStatus = z.object({
  node_id: z.string(),
  boot: z.number(),
  name: z.string(),
  version: z.string(),
  services: z.array(z.enum(SERVICE_NAMES)),
  draining: z.boolean(),
  /** Runs at work here. */
  depth: z.number(),
  agents: z.array(z.string()),
  catalog_digest: z.string(),
  providers: z.array(z.object({ name: z.string(), type: z.string(), models: z.array(z.string()) })),
  store: z.object({ id: z.string(), shared: z.boolean() }).nullable(),
  region: z.string().nullable(),
  tags: z.array(z.string()),
});
/** See `peerStatus`. */
export type PeerStatusBody = z.infer<typeof peerStatus>;
