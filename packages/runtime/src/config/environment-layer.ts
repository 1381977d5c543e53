import { isJsonObject, type Json, type JsonObject } from "../core/index.ts";
import type { Environment, OtelEnvironment } from "./environment.ts";

/** The environment as a layer of settings, under the names of runtime.yaml, with the variable that set each. */
export function environmentLayer(environment: Environment): {
  readonly tree: JsonObject;
  readonly names: Readonly<Record<string, string>>;
} {
  const { otel } = environment;
  const settings: readonly (readonly [path: string, value: Json, name: string])[] = [
    ["mesh.enabled", environment.meshEnabled, "ASTROMESH_MESH_ENABLED"],
    ["mesh.seeds", environment.meshSeeds, "ASTROMESH_MESH_SEEDS"],
    ["mesh.secrets", environment.meshSecrets, "ASTROMESH_MESH_SECRET"],
    ["mesh.node_name", environment.nodeName, "ASTROMESH_NODE_NAME"],
    ["mesh.advertise", environment.advertise, "ASTROMESH_ADVERTISE"],
    ["api.auth.keys", environment.apiKeys?.map((key) => ({ ...key })) ?? null, "ASTROMESH_API_KEYS"],
    ["observability.log_level", environment.logLevel, "ASTROMESH_LOG_LEVEL"],
    ["observability.otlp.enabled", exports(otel), otel.disabled === null ? endpointName(otel) : "OTEL_SDK_DISABLED"],
    ["observability.otlp.endpoint", otel.endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT"],
    ["observability.otlp.traces_endpoint", otel.tracesEndpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"],
    ["observability.otlp.metrics_endpoint", otel.metricsEndpoint, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"],
    ["observability.otlp.headers", otel.headers, "OTEL_EXPORTER_OTLP_HEADERS"],
    ["observability.service_name", otel.serviceName, "OTEL_SERVICE_NAME"],
    ["observability.resource_attributes", otel.resourceAttributes, "OTEL_RESOURCE_ATTRIBUTES"],
    ["observability.traces.sample_ratio", otel.sampleRatio, "OTEL_TRACES_SAMPLER"],
    ["store.type", environment.databaseUrl === null ? null : "postgres", "DATABASE_URL"],
    ["store.url", environment.databaseUrl, "DATABASE_URL"],
    ["redis_url", environment.redisUrl, "REDIS_URL"],
    ["temporal_address", environment.temporalAddress, "TEMPORAL_ADDRESS"],
  ];
  const said = settings.filter(([, value]) => value !== null);
  return {
    tree: said.reduce<JsonObject>((tree, [path, value]) => withValue(tree, path.split("."), value), {}),
    names: Object.fromEntries(said.map(([path, , name]) => [path, name])),
  };
}

function withValue(tree: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [head, ...rest] = path;
  if (head === undefined) return tree;
  const child = tree[head];
  const inner = isJsonObject(child) ? child : {};
  return { ...tree, [head]: rest.length === 0 ? value : withValue(inner, rest, value) };
}

/** Naming an OTLP endpoint asks for the export; OTEL_SDK_DISABLED forbids it. */
function exports(otel: OtelEnvironment): boolean | null {
  if (otel.disabled === true) return false;
  const named = otel.endpoint ?? otel.tracesEndpoint ?? otel.metricsEndpoint;
  return named === null ? null : true;
}

function endpointName(otel: OtelEnvironment): string {
  if (otel.endpoint !== null) return "OTEL_EXPORTER_OTLP_ENDPOINT";
  return otel.tracesEndpoint === null ? "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
}
