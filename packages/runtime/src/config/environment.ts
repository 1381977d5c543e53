import { ROLES, type Role } from "../core/index.ts";
import { type ApiKey, createEnvironmentReader, HTTP } from "./environment-reader.ts";
import type { Fault } from "./fault.ts";
import { LOG_LEVELS } from "./runtime-schema.ts";
import type { Variables } from "./variables.ts";

// The one place where variables get their meaning. An empty variable counts as unset, as compose files write them.

/** What the environment says. Null: not said. */
export interface Environment {
  /** ASTROMESH_ROLE: which profile to begin with. */
  readonly role: Role | null;
  /** ASTROMESH_MESH_ENABLED: `true` or `false`. */
  readonly meshEnabled: boolean | null;
  /** ASTROMESH_MESH_SEEDS: comma list of host:port or URLs. */
  readonly meshSeeds: readonly string[] | null;
  /** ASTROMESH_MESH_SECRET: comma list; the first signs, all are accepted. */
  readonly meshSecrets: readonly string[] | null;
  /** ASTROMESH_NODE_NAME: the node's label. */
  readonly nodeName: string | null;
  /** ASTROMESH_PROFILE: a profile's name or file. */
  readonly profile: string | null;
  /** ASTROMESH_CONFIG_DIR. */
  readonly configDir: string | null;
  /** ASTROMESH_DATA_DIR. */
  readonly dataDir: string | null;
  /** ASTROMESH_ADVERTISE: host:port or URL that other nodes dial. */
  readonly advertise: string | null;
  /** ASTROMESH_API_KEYS: comma list of `key`, `name:key` or `name:key:scope+scope`; without scopes, all of them. */
  readonly apiKeys: readonly ApiKey[] | null;
  /** ASTROMESH_LOG_LEVEL. */
  readonly logLevel: (typeof LOG_LEVELS)[number] | null;
  /** OLLAMA_HOST as a URL. */
  readonly ollamaUrl: string | null;
  /** Whether OPENAI_API_KEY and ANTHROPIC_API_KEY are set; the keys themselves are read when needed. */
  readonly hasOpenAiKey: boolean;
  readonly hasAnthropicKey: boolean;
  /** DATABASE_URL: a PostgreSQL address. */
  readonly databaseUrl: string | null;
  /** REDIS_URL. */
  readonly redisUrl: string | null;
  /** TEMPORAL_ADDRESS: host:port. */
  readonly temporalAddress: string | null;
  /** OTEL_*: the standard names (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). */
  readonly otel: OtelEnvironment;
  /** DEPLOYMENT_MODE: `distributed` runs some agents as services of their own. */
  readonly deploymentMode: "monolith" | "distributed" | null;
  /** *_SERVICE_URL, DS_ORCHESTRATOR_URL, DS_ANALYSTS_URL: agent name to address. */
  readonly serviceUrls: Readonly<Record<string, string>>;
  /** ASTROMESH_URL and ASTROMESH_API_KEY: the node that the command line talks to. */
  readonly cliUrl: string;
  readonly cliApiKey: string | null;
}

/** What the OTEL_ variables say. Null: not said. */
export interface OtelEnvironment {
  readonly disabled: boolean | null;
  readonly endpoint: string | null;
  readonly tracesEndpoint: string | null;
  readonly metricsEndpoint: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly serviceName: string | null;
  readonly resourceAttributes: Readonly<Record<string, string>> | null;
  readonly sampleRatio: number | null;
}

/** Where astromeshctl looks for a node when nothing says otherwise. */
const DEFAULT_URL = "http://localhost:8000";

/** Reads the environment; every variable that is wrong is a fault, and counts as unset. */
export function readEnvironment(variables: Variables): {
  readonly environment: Environment;
  readonly faults: readonly Fault[];
} {
  const read = createEnvironmentReader(variables);
  const deploymentMode = read.oneOf("DEPLOYMENT_MODE", ["monolith", "distributed"] as const);
  const environment: Environment = {
    role: read.oneOf("ASTROMESH_ROLE", ROLES),
    meshEnabled: read.flag("ASTROMESH_MESH_ENABLED"),
    meshSeeds: read.addresses("ASTROMESH_MESH_SEEDS"),
    meshSecrets: read.secrets("ASTROMESH_MESH_SECRET"),
    nodeName: read.text("ASTROMESH_NODE_NAME"),
    profile: read.text("ASTROMESH_PROFILE"),
    configDir: read.text("ASTROMESH_CONFIG_DIR"),
    dataDir: read.text("ASTROMESH_DATA_DIR"),
    advertise: read.addresses("ASTROMESH_ADVERTISE")?.[0] ?? null,
    apiKeys: read.apiKeys("ASTROMESH_API_KEYS"),
    logLevel: read.oneOf("ASTROMESH_LOG_LEVEL", LOG_LEVELS),
    ollamaUrl: read.ollama("OLLAMA_HOST"),
    hasOpenAiKey: read.text("OPENAI_API_KEY") !== null,
    hasAnthropicKey: read.text("ANTHROPIC_API_KEY") !== null,
    databaseUrl: read.url("DATABASE_URL", ["postgres", "postgresql"]),
    redisUrl: read.url("REDIS_URL", ["redis", "rediss"]),
    temporalAddress: read.addresses("TEMPORAL_ADDRESS")?.[0] ?? null,
    otel: {
      disabled: read.flag("OTEL_SDK_DISABLED"),
      endpoint: read.url("OTEL_EXPORTER_OTLP_ENDPOINT", HTTP),
      tracesEndpoint: read.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", HTTP),
      metricsEndpoint: read.url("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", HTTP),
      headers: read.pairs("OTEL_EXPORTER_OTLP_HEADERS"),
      serviceName: read.text("OTEL_SERVICE_NAME"),
      resourceAttributes: read.pairs("OTEL_RESOURCE_ATTRIBUTES"),
      sampleRatio: read.sampleRatio(),
    },
    deploymentMode,
    serviceUrls: deploymentMode === "distributed" ? read.serviceUrls() : {},
    cliUrl: read.url("ASTROMESH_URL", HTTP) ?? DEFAULT_URL,
    cliApiKey: read.text("ASTROMESH_API_KEY"),
  };
  return { environment, faults: read.faults };
}
