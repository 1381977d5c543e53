/**
 * What nodes of a mesh send each other (POST /v1/mesh/join, gossip, heartbeat, leave, election), with the bounds that keep
 * one node from filling another. Names are those of the core's messages; no other program is meant to speak this.
 */
import { z } from "zod";

import { isJsonObject, type JsonObject, SERVICE_NAMES } from "../core/index.ts";

const MAX_MEMBERS = 2_000;
const MAX_DIGESTS = 6_000;
const MAX_NEWS = 512;
const MAX_ACCUSERS = 4;

const count = z.int().min(0).max(0x7fff_ffff);
const half = z.int().min(-0x8000_0000).max(0x7fff_ffff);
const spanMs = z.number().min(0).max(1e13);
const nodeId = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/);
const label = z.string().max(128);
const signature = z.string().regex(/^[A-Za-z0-9_-]{0,128}$/);

/** Free values of an operator, such as `{"gpu": {"memory_gb": 24}}`: small, whatever their shape. */
const resources = z.custom<JsonObject>(
  (value) => isJsonObject(value as JsonObject) && JSON.stringify(value).length <= 4_096,
  "must be an object of at most 4 KiB",
);

/** What a node tells of itself. */
const nodeMeta = z.strictObject({
  name: z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,63}$/u),
  role: label.nullable(),
  services: z.array(z.enum(SERVICE_NAMES)).max(SERVICE_NAMES.length),
  address: z.string().max(256),
  agents: z.array(label).max(512),
  region: label.nullable(),
  tags: z.array(label).max(64),
  resources: resources.nullable(),
  draining: z.boolean(),
  store: z.strictObject({ id: label, shared: z.boolean() }).nullable(),
  release: label,
  features: z.array(label).max(64),
});

const claim = z.strictObject({
  id: nodeId,
  boot: count,
  incarnation: count,
  version: count,
  left: z.boolean(),
  meta: nodeMeta,
  key: signature,
  signature,
});

const accusers = z
  .array(z.strictObject({ id: nodeId, boot: count, refused: z.boolean(), signature }))
  .max(MAX_ACCUSERS);

const verdict = z.strictObject({
  id: nodeId,
  boot: count,
  incarnation: count,
  status: z.enum(["suspect", "dead", "left"]),
  accusers,
});

const record = z.strictObject({
  claim,
  status: z.enum(["alive", "suspect", "dead", "left"]),
  accusers,
  ageMs: spanMs,
});

const own = z.strictObject({
  incarnation: count,
  version: count,
  ageMs: spanMs,
  degraded: z.boolean(),
  load: z.strictObject({
    activeRequests: count,
    depth: count,
    cpuPercent: z.number().min(0).max(1e5),
    memoryPercent: z.number().min(0).max(1e5),
    loopDelayMs: spanMs,
  }),
});

const lease = z.strictObject({
  holder: nodeId.nullable(),
  boot: count,
  epoch: count,
  remainingMs: z.number().max(1e9),
});

const repair = z.discriminatedUnion("step", [
  z.strictObject({ step: z.literal("buckets"), hashes: z.array(half).length(32) }),
  z.strictObject({
    step: z.literal("digests"),
    buckets: z.array(z.int().min(0).max(15)).max(16),
    digests: z.array(z.tuple([nodeId, count, count, count, z.int().min(0).max(3)])).max(MAX_DIGESTS),
  }),
  z.strictObject({
    step: z.literal("records"),
    records: z.array(record).max(MAX_MEMBERS),
    wanted: z.array(nodeId).max(MAX_DIGESTS),
  }),
]);

const gossip = {
  kind: z.literal("gossip"),
  own,
  hash: z.tuple([half, half]),
  news: z.strictObject({
    claims: z.array(z.strictObject({ claim, ageMs: spanMs })).max(MAX_NEWS),
    verdicts: z.array(verdict).max(MAX_NEWS),
  }),
  verdict: verdict.nullable(),
  lease: lease.nullable(),
  repair: repair.nullable(),
};

/** A request of one node to another. */
export const meshRequest = z.discriminatedUnion("kind", [
  z.strictObject({ ...gossip, round: z.boolean() }),
  z.strictObject({
    kind: z.literal("heartbeat"),
    own,
    verdict: verdict.nullable(),
    relay: z.strictObject({ id: nodeId, waitMs: z.number().min(0).max(60_000) }).nullable(),
  }),
  z.strictObject({ kind: z.literal("join"), claim, cluster: label, protocol: count }),
  z.strictObject({ kind: z.literal("leave"), claim, lease: lease.nullable() }),
  z.strictObject({
    kind: z.literal("election"),
    action: z.enum(["acquire", "release"]),
    candidate: nodeId,
    boot: count,
    epoch: count,
  }),
]);

/** The answer to one. */
export const meshReply = z.discriminatedUnion("kind", [
  z.strictObject({ ...gossip, known: z.array(z.boolean()).max(2 * MAX_NEWS), introduce: z.boolean() }),
  z.strictObject({
    kind: z.literal("heartbeat"),
    own,
    verdict: verdict.nullable(),
    relay: z.enum(["ack", "nack", "refused", "unknown"]).nullable(),
  }),
  z.strictObject({
    kind: z.literal("join"),
    own,
    records: z.array(record).max(MAX_MEMBERS),
    lease: lease.nullable(),
    seenAs: z.string().max(256).nullable(),
  }),
  z.strictObject({ kind: z.literal("leave") }),
  z.strictObject({ kind: z.literal("election"), granted: z.boolean(), lease: lease.nullable() }),
  z.strictObject({
    kind: z.literal("refused"),
    code: z.enum(["misdirected", "cluster", "protocol", "full", "left", "self", "no_store", "invalid"]),
    ours: label,
    theirs: label,
  }),
]);
