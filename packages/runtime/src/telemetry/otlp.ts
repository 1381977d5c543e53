import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { Context, Span as OtelSpan, SpanOptions } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import type { Resource } from "@opentelemetry/resources";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, NodeTracerProvider, RandomIdGenerator } from "@opentelemetry/sdk-trace-node";

import { SEMCONV } from "./genai.ts";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";
import type { TraceParent } from "./traceparent.ts";
import type { Span, SpanFacts, Tracing } from "./tracing.ts";
import { within } from "./within.ts";

/** Who reports: the resource of every span and metric. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over it. */
export interface ReportingNode {
  readonly version: string;
  readonly nodeId: string;
  readonly name: string;
}

const KINDS: Readonly<Record<SpanFacts["kind"], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
};

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
    start: (facts, parent) => wrap(tracer.startSpan(...options(facts), contextUnder(parseTraceparent(parent)))),
    record(finished) {
      const { traceId, parentSpanId, startedAt, endedAt, errorCode } = finished;
      const parent = parentSpanId === null ? null : { traceId, spanId: parentSpanId, sampled: true };
      const [name, spanOptions] = options(finished);
      const span = ids.under(finished, () =>
        tracer.startSpan(name, { ...spanOptions, startTime: startedAt }, contextUnder(parent)),
      );
      if (errorCode !== null) fail(span, errorCode);
      span.end(endedAt);
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

function options({ name, kind, attributes }: SpanFacts): [string, SpanOptions] {
  return [name, { kind: KINDS[kind], attributes }];
}

/** The resource of a node's spans and metrics. */
export function describeNode(node: ReportingNode): Resource {
  return defaultResource()
    .merge(
      resourceFromAttributes({
        "service.name": "astromesh",
        "service.version": node.version,
        "service.instance.id": node.nodeId,
        "astromesh.node.name": node.name,
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }));
}

/** Ids of runs and effects are settled before their spans are made: the generator hands them to the next span. */
function createSteeredIds() {
  const random = new RandomIdGenerator();
  let next: { readonly traceId: string; readonly spanId: string } | null = null;
  return {
    generateTraceId: () => next?.traceId ?? random.generateTraceId(),
    generateSpanId: () => next?.spanId ?? random.generateSpanId(),
    under<T>(ids: { readonly traceId: string; readonly spanId: string }, start: () => T): T {
      next = ids;
      try {
        return start();
      } finally {
        next = null;
      }
    },
  };
}

function contextUnder(parent: TraceParent | null): Context {
  if (parent === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
}

function fail(span: OtelSpan, errorCode: string): void {
  span.setAttribute(SEMCONV.errorType, errorCode);
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorCode });
}

function wrap(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }),
    set: (attributes) => void span.setAttributes(attributes),
    rename: (name) => void span.updateName(name),
    fail: (errorCode) => fail(span, errorCode),
    end: () => span.end(),
  };
}
