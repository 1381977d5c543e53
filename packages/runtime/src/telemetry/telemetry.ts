import { createMeters } from "./metrics.ts";
import type { Meters } from "./metrics.ts";
import type { OtlpChoice } from "./otlp-environment.ts";
import type { ReportingNode } from "./otlp.ts";
import { NO_TRACING } from "./tracing.ts";
import type { Tracing } from "./tracing.ts";

/** Metrics and traces of a node. */
export interface Telemetry extends Meters {
  readonly tracing: Tracing;
}

/**
 * Opens metrics, and traces where they are asked for. The OTLP exporters are loaded only then: they cost a node that
 * does not use them neither memory nor start-up time.
 *
 * @param options.exportIntervalMs how often metrics go out by OTLP. @default 60000
 */
export async function openTelemetry(
  node: ReportingNode,
  choice: OtlpChoice,
  options: { readonly exportIntervalMs?: number } = {},
): Promise<Telemetry> {
  if (!choice.traces && !choice.metrics) return { ...createMeters(), tracing: NO_TRACING };
  const otlp = await import("./otlp.ts");
  const meters = choice.metrics
    ? createMeters({ reader: otlp.createOtlpMetricReader(options.exportIntervalMs), resource: otlp.describeNode(node) })
    : createMeters();
  return { ...meters, tracing: choice.traces ? otlp.createOtlpTracing(node) : NO_TRACING };
}
