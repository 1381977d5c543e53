import { join, resolve } from "node:path";

import { nodeUrl } from "./addresses.ts";
import type {
  ApiConfig,
  ContainersConfig,
  MeshConfig,
  NodeConfig,
  NodeTraits,
  ObservabilityConfig,
  RunsConfig,
  StoreConfig,
} from "./node-config.ts";
import type { NodeSpec } from "./node-schema.ts";
import type { RuntimeSpec } from "./runtime-schema.ts";
import { durationMs, sizeBytes } from "./schema-parts.ts";

/** What `toNodeConfig` cannot read from the settings themselves. */
export type NodeFacts = Pick<NodeConfig, "role" | "profile" | "mode" | "places" | "workers" | "deployment"> & {
  readonly hostname: string;
  /** The file's own sections when it is a NodeConfig. */
  readonly nodeSpec: NodeSpec | null;
};

/** The settings as the program uses them: own names, units, absolute paths. */
export function toNodeConfig(spec: RuntimeSpec, facts: NodeFacts): NodeConfig {
  const { hostname, nodeSpec, ...rest } = facts;
  return {
    ...rest,
    name: spec.mesh.node_name === "" ? hostname : spec.mesh.node_name,
    api: toApi(spec.api),
    services: spec.services,
    peers: spec.peers,
    mesh: toMesh(spec.mesh),
    observability: toObservability(spec.observability),
    agentDefaults: {
      pattern: spec.defaults.orchestration.pattern,
      maxIterations: spec.defaults.orchestration.max_iterations,
    },
    runs: toRuns(spec.runs),
    store: toStore(spec.store, rest.places.dataDir),
    redisUrl: spec.redis_url,
    temporalAddress: spec.temporal_address,
    routing: {
      strategy: spec.routing.strategy,
      localPreference: spec.routing.local_preference,
      maxAttempts: spec.routing.max_attempts,
      retryRatio: spec.routing.retry_ratio,
      ejectionMs: durationMs(spec.routing.ejection),
    },
    node: toTraits(spec.node, nodeSpec),
    containers: nodeSpec === null ? null : toContainers(nodeSpec.runtime),
  };
}

function toApi(api: RuntimeSpec["api"]): ApiConfig {
  return {
    host: api.host,
    port: api.port,
    grpcPort: api.grpc_port,
    keys: api.auth.keys,
    corsOrigins: api.cors_origins,
    bodySizeBytes: sizeBytes(api.limits.body_size),
    uploadSizeBytes: sizeBytes(api.limits.upload_size),
    requestsPerMinute: api.rate_limit.requests_per_minute,
    failedAuthPerMinute: api.rate_limit.failed_auth_per_minute,
  };
}

function toMesh(mesh: RuntimeSpec["mesh"]): MeshConfig {
  return {
    enabled: mesh.enabled,
    seeds: mesh.seeds.map(nodeUrl).filter((seed) => seed !== null),
    advertise: mesh.advertise === null ? null : nodeUrl(mesh.advertise),
    secrets: mesh.secrets,
    heartbeatIntervalMs: durationMs(mesh.heartbeat_interval),
    gossipIntervalMs: durationMs(mesh.gossip_interval),
    gossipFanout: mesh.gossip_fanout,
    failureTimeoutMs: durationMs(mesh.failure_timeout),
    deadTimeoutMs: durationMs(mesh.dead_timeout),
  };
}

function toObservability(settings: RuntimeSpec["observability"]): ObservabilityConfig {
  const { otlp } = settings;
  const endpoint = otlp.endpoint.replace(/\/+$/, "");
  return {
    logLevel: settings.log_level === "warning" ? "warn" : settings.log_level,
    logFormat: settings.log_format,
    serviceName: settings.service_name,
    resourceAttributes: settings.resource_attributes,
    otlp: otlp.enabled
      ? {
          tracesUrl: otlp.traces_endpoint ?? `${endpoint}/v1/traces`,
          metricsUrl: otlp.metrics_endpoint ?? `${endpoint}/v1/metrics`,
          headers: otlp.headers,
        }
      : null,
    sampleRatio: settings.traces.sample_ratio,
    traceContent: settings.traces.content,
  };
}

function toRuns(runs: RuntimeSpec["runs"]): RunsConfig {
  return {
    concurrency: runs.concurrency,
    queue: runs.queue,
    sessionWaitMs: durationMs(runs.session_wait),
    timeoutMs: durationMs(runs.timeout),
    waitTimeoutMs: durationMs(runs.wait_timeout),
    leaseMs: durationMs(runs.lease),
    maxFruitlessAttempts: runs.max_fruitless_attempts,
    resumeConcurrency: runs.resume_concurrency,
    drainMs: durationMs(runs.drain),
    idempotencyTtlMs: durationMs(runs.idempotency_ttl),
    retention: {
      runsMs: durationMs(runs.retention.max_age),
      runsCount: runs.retention.max_runs,
      streamsMs: durationMs(runs.retention.streams),
    },
  };
}

function toStore(store: RuntimeSpec["store"], dataDir: string): StoreConfig {
  if (store.url !== null && store.type !== "sqlite") {
    return { kind: "postgres", url: store.url, poolSize: store.pool_size };
  }
  return { kind: "sqlite", path: store.path === null ? join(dataDir, "astromesh.db") : resolve(dataDir, store.path) };
}

function toTraits(node: RuntimeSpec["node"], nodeSpec: NodeSpec | null): NodeTraits {
  return {
    id: nodeSpec?.node.id ?? null,
    type: nodeSpec?.node.type ?? null,
    region: node.region,
    tags: node.tags,
    resources: {
      cpuCores: node.resources.cpu_cores,
      memoryGb: node.resources.memory_gb,
      diskGb: node.resources.disk_gb,
      gpu: node.resources.gpu,
    },
  };
}

function toContainers(runtime: NodeSpec["runtime"]): ContainersConfig {
  return {
    orchestratorUrl: runtime.orchestrator_url,
    networkMode: runtime.docker_network_mode,
    nfsServerHost: runtime.nfs_server_host,
    nfsPort: runtime.nfs_port,
  };
}
