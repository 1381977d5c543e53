import type { PatternName, Role, Services, StaticPeer } from "../core/index.ts";
import type { ApiKey } from "./environment-reader.ts";

/**
 * Everything a node is told, validated, with every default filled in. Immutable: a reload makes another.
 *
 * It holds keys and addresses with passwords in plain text: never log it; print `origins` of `resolveNodeConfig`.
 */
export interface NodeConfig {
  /** The node's label, before the mesh makes it unique. Default: the host's name. */
  readonly name: string;
  /** The role asked for, else the one whose profile enables exactly these services; null when none does. */
  readonly role: Role | null;
  /** The profile that the settings begin with; null: none was asked for. */
  readonly profile: string | null;
  /** `system` when the configuration is /etc/astromesh. */
  readonly mode: "system" | "dev";
  readonly places: Places;
  /** Processes on one port. Default 1. */
  readonly workers: number;
  readonly api: ApiConfig;
  readonly services: Services;
  readonly peers: readonly StaticPeer[];
  readonly mesh: MeshConfig;
  readonly observability: ObservabilityConfig;
  /** What agents get that do not say otherwise. */
  readonly agentDefaults: AgentDefaults;
  readonly runs: RunsConfig;
  readonly store: StoreConfig;
  /** A Redis address; null: none. */
  readonly redisUrl: string | null;
  /** host:port of a Temporal server; null: none. */
  readonly temporalAddress: string | null;
  readonly routing: RoutingConfig;
  readonly node: NodeTraits;
  /** How agent containers run; null unless the file is a NodeConfig. */
  readonly containers: ContainersConfig | null;
  readonly deployment: {
    readonly mode: "monolith" | "distributed";
    /** Agent name to the address of the service that runs it. */
    readonly serviceUrls: Readonly<Record<string, string>>;
  };
}

/** Where the node's files are. Absolute paths. */
export interface Places {
  /** Holds agents/, providers*.yaml and channels.yaml; null when no configuration folder exists. */
  readonly configDir: string | null;
  /** The settings file; null when a profile is all there is. */
  readonly configFile: string | null;
  /** ASTROMESH_DATA_DIR, else /var/lib/astromesh for /etc/astromesh, else ./.astromesh. One node locks it. */
  readonly dataDir: string;
  /** `--pid-file`, else /var/run/astromesh/astromeshd.pid for /etc/astromesh, else in the data directory. */
  readonly pidFile: string;
}

/** The HTTP side of the node. */
export interface ApiConfig {
  /** Default 0.0.0.0. */
  readonly host: string;
  /** Default 8000; 0 takes any free port. */
  readonly port: number;
  /** Null: no gRPC. */
  readonly grpcPort: number | null;
  /** Empty: open (see docs on auth). */
  readonly keys: readonly ApiKey[];
  readonly corsOrigins: readonly string[];
  /** Default 1 MiB. */
  readonly bodySizeBytes: number;
  /** Default 32 MiB. */
  readonly uploadSizeBytes: number;
  /** Per key, or per address without keys; 0: no limit. Default 0. */
  readonly requestsPerMinute: number;
  /** Wrong keys per address. Default 60. */
  readonly failedAuthPerMinute: number;
}

/** The mesh (Maia). */
export interface MeshConfig {
  readonly enabled: boolean;
  /** Base URLs. */
  readonly seeds: readonly string[];
  /** Base URL that other nodes dial; null: as the seed sees us. */
  readonly advertise: string | null;
  /** The first signs, all are accepted; empty: unsigned. */
  readonly secrets: readonly string[];
  /** Default 5 s. */
  readonly heartbeatIntervalMs: number;
  /** Default 2 s. */
  readonly gossipIntervalMs: number;
  /** Default 3. */
  readonly gossipFanout: number;
  /** Default 15 s. */
  readonly failureTimeoutMs: number;
  /** Default 30 s. */
  readonly deadTimeoutMs: number;
}

/** Logs, traces and metrics. */
export interface ObservabilityConfig {
  /** Default info. */
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Default json. */
  readonly logFormat: "json" | "pretty";
  /** Default astromesh. */
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Null: nothing is exported. */
  readonly otlp: {
    readonly tracesUrl: string;
    readonly metricsUrl: string;
    readonly headers: Readonly<Record<string, string>>;
  } | null;
  /** Share of traces sent, 0 to 1. Default 1. */
  readonly sampleRatio: number;
  /** Prompts and answers in traces, redacted. Default false. */
  readonly traceContent: boolean;
}

/** What agents get that do not say otherwise. */
export interface AgentDefaults {
  /** Default react. */
  readonly pattern: PatternName;
  /** Default 10. */
  readonly maxIterations: number;
}

/** Durable runs. */
export interface RunsConfig {
  /** Default 128. */
  readonly concurrency: number;
  /** Default 1024. */
  readonly queue: number;
  /** Default 10 s. */
  readonly sessionWaitMs: number;
  /** Default 1 h. */
  readonly timeoutMs: number;
  /** Default 7 d. */
  readonly waitTimeoutMs: number;
  /** Default 15 s. */
  readonly leaseMs: number;
  /** Default 3. */
  readonly maxFruitlessAttempts: number;
  /** Default 16. */
  readonly resumeConcurrency: number;
  /** Default 30 s. */
  readonly drainMs: number;
  /** Default 24 h. */
  readonly idempotencyTtlMs: number;
  readonly retention: {
    /** Default 30 d. */
    readonly runsMs: number;
    /** Default 100,000. */
    readonly runsCount: number;
    /** Default 24 h. */
    readonly streamsMs: number;
  };
}

/** Where runs and memory live. */
export type StoreConfig =
  /** An absolute path; default astromesh.db in the data directory. */
  | { readonly kind: "sqlite"; readonly path: string }
  /** The address holds a password. Pool size: connections of this node, default 10. */
  | { readonly kind: "postgres"; readonly url: string; readonly poolSize: number };

/** How requests find another node. */
export interface RoutingConfig {
  /** Static peers are taken in turn, whatever it says. Default least_connections. */
  readonly strategy: "least_connections" | "affinity" | "latency" | "capability";
  /** This node first, then its region. Default true. */
  readonly localPreference: boolean;
  /** Default 3. */
  readonly maxAttempts: number;
  /** Retries per request served. Default 0.2. */
  readonly retryRatio: number;
  /** The first ejection of a failing node; doubles up to 5 min. Default 10 s. */
  readonly ejectionMs: number;
}

/** What a node says about itself for placement. */
export interface NodeTraits {
  /** The operator's name for the machine; null unless the file is a NodeConfig. */
  readonly id: string | null;
  readonly type: "orchestrator" | "edge" | "hybrid" | null;
  readonly region: string | null;
  readonly tags: readonly string[];
  readonly resources: {
    readonly cpuCores: number | null;
    readonly memoryGb: number | null;
    readonly diskGb: number | null;
    readonly gpu: boolean;
  };
}

/** What a NodeConfig says about agent containers. */
export interface ContainersConfig {
  readonly orchestratorUrl: string | null;
  readonly networkMode: string | null;
  readonly nfsServerHost: string | null;
  readonly nfsPort: number;
}
