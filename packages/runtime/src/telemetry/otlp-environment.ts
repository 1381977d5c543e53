/** What the standard OTEL_* variables ask of us. */
export interface OtlpChoice {
  readonly traces: boolean;
  readonly metrics: boolean;
  /** What was asked and cannot be done, one sentence each. */
  readonly notices: readonly string[];
}

/**
 * Decides what is exported, by the rules of
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables and
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter, but for one: without an endpoint nothing is exported,
 * where the specification would try localhost:4318.
 *
 * @param env the OTEL_* variables.
 */
export function readOtlpEnvironment(env: Readonly<Record<string, string | undefined>>): OtlpChoice {
  const notices: string[] = [];
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return { traces: false, metrics: false, notices };

  const wants = (signal: "TRACES" | "METRICS"): boolean => {
    const exporter = env[`OTEL_${signal}_EXPORTER`] ?? "otlp";
    const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] ?? env["OTEL_EXPORTER_OTLP_ENDPOINT"];
    if (endpoint === undefined || endpoint === "" || exporter === "none") return false;
    if (exporter !== "otlp") {
      notices.push(`OTEL_${signal}_EXPORTER=${exporter} is not supported; use otlp or none.`);
      return false;
    }
    if (!URL.canParse(endpoint)) {
      notices.push(`The OTLP endpoint for ${signal.toLowerCase()} is not a URL: "${endpoint}".`);
      return false;
    }
    const protocol = env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"];
    if (protocol !== undefined && protocol !== "http/protobuf") {
      notices.push(`OTLP over ${protocol} is not supported; ${signal.toLowerCase()} go over http/protobuf.`);
    }
    return true;
  };

  return { traces: wants("TRACES"), metrics: wants("METRICS"), notices };
}
