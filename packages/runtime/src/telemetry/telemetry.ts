import { createMeters } from "./metrics.ts";
import type { Meters } from "./metrics.ts";
import { NO_TRACING } from "./tracing.ts";
import type { Tracing } from "./tracing.ts";

/** Metrics and traces of a node. */
export interface Telemetry extends Meters {
  readonly tracing: Tracing;
}

/** Who reports: the resource of every span and metric. */
export interface ReportingNode {
  readonly version: string;
  readonly nodeId: string;
  readonly name: string;
}

/** Where spans and metrics go by OTLP (protobuf over HTTP). */
export interface OtlpOptions {
  /** Whole address, such as `http://collector:4318/v1/traces`; null: no spans are sent. */
  readonly tracesUrl: string | null;
  /** Whole address; null: no metrics are sent. */
  readonly metricsUrl: string | null;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here which are sent, 0 to 1. A caller that samples is always followed. */
  readonly sampleRatio: number;
  /** `service.name` of the resource. */
  readonly serviceName: string;
  /** More of the resource; wins over what the node says of itself. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** How often metrics are sent. @default 60000 */
  readonly metricsIntervalMs?: number;
}

/**
 * Opens metrics, and traces where they are asked for. The OTLP exporters are loaded only then: they cost a node that
 * does not use them neither memory nor start-up time.
 */
export async function openTelemetry(node: ReportingNode, options: OtlpOptions | null): Promise<Telemetry> {
  if (options === null) return { ...createMeters(), tracing: NO_TRACING };
  const otlp = await import("./otlp.ts");
  const resource = otlp.describeNode(node, options);
  const reader = otlp.createOtlpMetricReader(options);
  return {
    ...createMeters(reader === null ? undefined : { reader, resource }),
    tracing: otlp.createOtlpTracing(resource, options),
  };
}
