import { z } from "zod";

import { PATTERNS, SCOPES, SERVICE_NAMES, type ServiceName } from "../core/index.ts";
import {
  duration,
  envelope,
  httpUrl,
  namedMetadata,
  port,
  positiveDuration,
  resourceName,
  size,
  text,
} from "./schema-parts.ts";

// What runtime.yaml may say. Names are the file's; node-config.ts gives them their units and meaning in the program.
// Every part has its default, so an empty `spec` is a whole one.

/** How a mesh chooses the node for a request. */
const ROUTING_NODE_STRATEGIES = ["least_connections", "affinity", "latency", "capability"] as const;

/** The levels of a log, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

const count = z.int().min(1);

const apiKey = z.strictObject({
  name: resourceName.describe("Who the key belongs to: the principal of its runs and sessions."),
  key: z.string().min(8, { error: "must have at least 8 characters" }).describe("The key itself; best a ${VARIABLE}."),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .default([...SCOPES])
    .describe("What the key may do; `admin` includes the others. Default: everything."),
});

const api = z.strictObject({
  host: text.default("0.0.0.0").describe("The address to listen on. Default 0.0.0.0."),
  port: port.default(8000).describe("The HTTP port; 0 takes any free one. Default 8000."),
  grpc_port: port.nullable().default(null).describe("The gRPC port. Default: none, 50051 for orchestrator and hybrid."),
  auth: z
    .strictObject({ keys: z.array(apiKey).default([]).describe("API keys; with any, every door asks for one.") })
    .prefault({}),
  cors_origins: z.array(text).default([]).describe("Origins that browsers may call from; `*` for any. Default none."),
  limits: z
    .strictObject({
      body_size: size.default("1MiB").describe("The largest request body. Default 1MiB."),
      upload_size: size.default("32MiB").describe("The largest upload. Default 32MiB."),
    })
    .prefault({}),
  rate_limit: z
    .strictObject({
      requests_per_minute: z
        .int()
        .min(0)
        .default(0)
        .describe("Requests per key (per address without keys); 0 for no limit. Default 0."),
      failed_auth_per_minute: count
        .default(60)
        .describe("Requests without a right key per address before they are 429 instead of 401. Default 60."),
    })
    .prefault({}),
});

const serviceToggle = z.boolean().default(true);
const toggles = Object.fromEntries(SERVICE_NAMES.map((name) => [name, serviceToggle])) as Record<
  ServiceName,
  typeof serviceToggle
>;
const services = z.strictObject(toggles).describe("Which services this node enables. Default: all.");

const peer = z.strictObject({
  name: resourceName,
  url: httpUrl,
  services: z.array(z.enum(SERVICE_NAMES)).min(1),
});

const mesh = z.strictObject({
  enabled: z.boolean().default(false).describe("Find other nodes by gossip (Maia). Default false."),
  node_name: z.string().default("").describe("The label of this node. Default: the host's name."),
  bind: z
    .string()
    .default("0.0.0.0:8000")
    .describe("Accepted for the guides' sake: the mesh listens where the API does."),
  advertise: text.nullable().default(null).describe("host:port or URL that other nodes dial. Default: as they see us."),
  seeds: z.array(text).default([]).describe("Nodes to join through: host:port or URL."),
  secrets: z
    .array(z.string().min(8, { error: "must have at least 8 characters" }))
    .default([])
    .describe("Secrets that sign what nodes say to each other; the first signs, all are accepted."),
  heartbeat_interval: positiveDuration.default(5).describe("Default 5 s."),
  gossip_interval: positiveDuration.default(2).describe("Default 2 s."),
  gossip_fanout: count.default(3).describe("Nodes told in each round. Default 3."),
  failure_timeout: positiveDuration
    .default(15)
    .describe("Silence until a node is suspect at the latest. Default 15 s."),
  dead_timeout: positiveDuration.default(30).describe("Silence until a node is dead at the latest. Default 30 s."),
});

const observability = z.strictObject({
  log_level: z.enum(LOG_LEVELS).default("info").describe("debug, info, warning or error. Default info."),
  log_format: z.enum(["json", "pretty"]).default("json").describe("One JSON object a line, or text for people."),
  service_name: text.default("astromesh").describe("The name in traces and metrics. Default astromesh."),
  resource_attributes: z.record(text, z.string()).default({}).describe("Added to every trace and metric."),
  otlp: z
    .strictObject({
      enabled: z.boolean().default(false).describe("Send traces and metrics out. Default false."),
      endpoint: httpUrl.default("http://localhost:4318").describe("OTLP over HTTP. Default http://localhost:4318."),
      traces_endpoint: httpUrl.nullable().default(null).describe("Default: endpoint + /v1/traces."),
      metrics_endpoint: httpUrl.nullable().default(null).describe("Default: endpoint + /v1/metrics."),
      headers: z.record(text, z.string()).default({}).describe("Sent with every export."),
    })
    .prefault({}),
  traces: z
    .strictObject({
      sample_ratio: z.number().min(0).max(1).default(1).describe("Share of traces that are sent. Default 1."),
      content: z.boolean().default(false).describe("Put prompts and answers into traces, redacted. Default false."),
    })
    .prefault({}),
});

const runs = z.strictObject({
  concurrency: count.default(128).describe("Runs that work at the same time on this node. Default 128."),
  queue: z.int().min(0).default(1024).describe("Runs that may wait for their turn; beyond it 429. Default 1024."),
  session_wait: duration.default("10s").describe("How long a run waits for its session before 409. Default 10s."),
  timeout: positiveDuration.default("1h").describe("How long a run may work, waiting apart. Default 1h."),
  wait_timeout: positiveDuration.default("7d").describe("How long a run may wait before it gives up. Default 7d."),
  lease: positiveDuration.default("15s").describe("How long a node's claim on a run holds unrenewed. Default 15s."),
  max_fruitless_attempts: count.default(3).describe("Resumes in a row without progress before quarantine. Default 3."),
  resume_concurrency: count.default(16).describe("Runs resumed at the same time after a start. Default 16."),
  drain: duration.default("30s").describe("How long a stopping node lets its runs finish. Default 30s."),
  idempotency_ttl: positiveDuration.default("24h").describe("How long a key is remembered. Default 24h."),
  retention: z
    .strictObject({
      max_age: positiveDuration.default("30d").describe("How long ended runs are kept. Default 30d."),
      max_runs: count.default(100_000).describe("How many ended runs are kept. Default 100000."),
      streams: positiveDuration.default("24h").describe("How long their token streams are kept. Default 24h."),
    })
    .prefault({}),
});

const store = z.strictObject({
  type: z
    .enum(["sqlite", "postgres"])
    .nullable()
    .default(null)
    .describe("Where runs and memory live. Default: postgres when url is set, else sqlite."),
  path: text.nullable().default(null).describe("The SQLite file. Default: astromesh.db in the data directory."),
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, { error: "expected a postgres:// address" })
    .nullable()
    .default(null)
    .describe("The PostgreSQL address."),
  pool_size: count.default(10).describe("PostgreSQL connections of this node. Default 10."),
});

const routing = z.strictObject({
  strategy: z
    .enum(ROUTING_NODE_STRATEGIES)
    .default("least_connections")
    .describe(
      "How the mesh chooses among nodes: the less busy of two, a session's own node, the faster, or the best fit. " +
        "Static peers are taken in turn. Default least_connections.",
    ),
  local_preference: z
    .boolean()
    .default(true)
    .describe("Serve here where possible, then in this node's region. Default true."),
  max_attempts: count.default(3).describe("Nodes asked for one request. Default 3."),
  retry_ratio: z.number().min(0).max(1).default(0.2).describe("Retries allowed per request served. Default 0.2."),
  ejection: positiveDuration
    .default("10s")
    .describe("How long a failing node is left alone at first; doubles up to 5 min. Default 10s."),
});

/** The hardware that a node offers. */
const nodeResources = z.strictObject({
  cpu_cores: count.nullable().default(null),
  memory_gb: z.number().positive().nullable().default(null),
  disk_gb: z.number().positive().nullable().default(null),
  gpu: z.boolean().default(false),
});

/** What a node says about itself for placement. */
export const nodeTraits = {
  region: text.nullable().default(null).describe("Where the node is."),
  tags: z.array(text).default([]).describe("Matched by an agent's execution.target_tags."),
  resources: nodeResources.prefault({}).describe("What the node offers."),
};

/** The sections that `kind: RuntimeConfig` and `kind: NodeConfig` share. */
export const runtimeSections = {
  api: api.prefault({}),
  services: services.prefault({}),
  peers: z.array(peer).default([]).describe("Nodes known without a mesh."),
  mesh: mesh.prefault({}),
  observability: observability.prefault({}),
  defaults: z
    .strictObject({
      orchestration: z
        .strictObject({
          pattern: z.enum(PATTERNS).default("react"),
          max_iterations: count.default(10),
        })
        .prefault({}),
    })
    .prefault({})
    .describe("For agents that do not say otherwise."),
  runs: runs.prefault({}),
  store: store.prefault({}),
  redis_url: z
    .string()
    .regex(/^rediss?:\/\//, { error: "expected a redis:// address" })
    .nullable()
    .default(null),
  temporal_address: text.nullable().default(null).describe("host:port of a Temporal server."),
  routing: routing.prefault({}),
};

/** `spec` of `kind: RuntimeConfig`. */
export const runtimeSpec = z.strictObject({
  ...runtimeSections,
  node: z.strictObject(nodeTraits).prefault({}).describe("Facts about this node for placement."),
});

/** A runtime.yaml or a profile. */
export const runtimeFile = z.strictObject({
  ...envelope("RuntimeConfig"),
  metadata: namedMetadata.prefault({}),
  spec: runtimeSpec.prefault({}),
});

/** Every setting of a node under its file's name, with every default. */
export type RuntimeSpec = z.output<typeof runtimeSpec>;
