import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { Context, Span as OtelSpan } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import type { Resource } from "@opentelemetry/resources";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, NodeTracerProvider, RandomIdGenerator } from "@opentelemetry/sdk-trace-node";

import { formatTraceparent, parseTraceparent } from "./traceparent.ts";
import type { Span, SpanPlace, Tracing } from "./tracing.ts";
import { within } from "./within.ts";

/** Who reports: the resource of every span and metric. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over it. */
export interface ReportingNode {
  readonly version: string;
  readonly nodeId: string;
  readonly name: string;
}

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

/**
 * Spans over OTLP (protobuf over HTTP), batched. Endpoint, headers, timeout, compression, sampler and batch sizes
 * are read by the OpenTelemetry SDK from the standard OTEL_* variables.
 */
export function createOtlpTracing(node: ReportingNode): Tracing {
  const ids = createSteeredIds();
  const processor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new NodeTracerProvider({
    resource: describeNode(node),
    idGenerator: ids,
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("astromesh", node.version);
  let stopped: Promise<void> | null = null;

  const flush = (timeoutMs: number): Promise<boolean> => within(timeoutMs, processor.forceFlush());

  return {
    enabled: true,
    start(name, kind, place, attributes) {
      const span = ids.beginningWith(place.traceId, () =>
        tracer.startSpan(name, { kind: KINDS[kind], attributes }, parentContext(place)),
      );
      return wrap(span);
    },
    flush,
    stop: (timeoutMs) =>
      // Shutting down flushes as well.
      (stopped ??= within(timeoutMs, provider.shutdown()).then(() => undefined)),
  };
}

/** Metrics over OTLP, every OTEL_METRIC_EXPORT_INTERVAL (60 s unless set). */
export function createOtlpMetricReader(exportIntervalMs = 60_000): IMetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: exportIntervalMs,
    exportTimeoutMillis: Math.min(exportIntervalMs, 30_000),
  });
}

/** The resource of a node's spans and metrics. */
export function describeNode(node: ReportingNode): Resource {
  return defaultResource()
    .merge(
      resourceFromAttributes({
        "service.name": "astromesh",
        "service.version": node.version,
        "service.instance.id": node.nodeId,
        "host.name": node.name,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
}

/** A run's trace id is made before its first span: the id generator hands it to the span that begins the trace. */
function createSteeredIds() {
  const random = new RandomIdGenerator();
  let next: string | undefined;
  return {
    generateTraceId: () => next ?? random.generateTraceId(),
    generateSpanId: () => random.generateSpanId(),
    beginningWith<T>(traceId: string | undefined, start: () => T): T {
      next = traceId;
      try {
        return start();
      } finally {
        next = undefined;
      }
    },
  };
}

function parentContext(place: SpanPlace): Context {
  const parent = parseTraceparent(place.parent);
  if (parent === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
}

function wrap(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }),
    set: (attributes) => void span.setAttributes(attributes),
    event: (name, attributes) => void span.addEvent(name, attributes),
    fail(code, message) {
      span.setAttribute("error.type", code);
      span.setStatus({ code: SpanStatusCode.ERROR, message });
    },
    end: () => span.end(),
  };
}
