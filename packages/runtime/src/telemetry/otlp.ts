import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { Context, Span as OtelSpan, SpanOptions } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import type { Resource } from "@opentelemetry/resources";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-node";

import { formatTraceparent, parseTraceparent } from "../core/index.ts";
import type { TraceParent } from "../core/index.ts";
import { SEMCONV } from "./genai.ts";
import type { OtlpOptions, ReportingNode } from "./telemetry.ts";
import { NO_TRACING } from "./tracing.ts";
import type { Span, SpanFacts, Tracing } from "./tracing.ts";
import { within } from "./within.ts";

const KINDS: Readonly<Record<SpanFacts["kind"], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
};

/** Spans over OTLP, batched. Timeouts, compression, certificates and batch sizes are the SDK's OTEL_* variables. */
export function createOtlpTracing(resource: Resource, options: OtlpOptions): Tracing {
  if (options.tracesUrl === null) return NO_TRACING;
  const ids = createSteeredIds();
  const exporter = new OTLPTraceExporter({ url: options.tracesUrl, headers: { ...options.headers } });
  const processor = new BatchSpanProcessor(exporter);
  const provider = new NodeTracerProvider({
    resource,
    idGenerator: ids,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("astromesh");
  let stopped: Promise<void> | null = null;

  const flush = (timeoutMs: number): Promise<boolean> => within(timeoutMs, processor.forceFlush());

  return {
    enabled: true,
    start: (facts, parent) => wrap(tracer.startSpan(...toOtel(facts), contextUnder(parseTraceparent(parent)))),
    record(finished) {
      const { traceId, parentSpanId, startedAt, endedAt, errorCode } = finished;
      const parent = parentSpanId === null ? null : { traceId, spanId: parentSpanId, sampled: true };
      const [name, spanOptions] = toOtel(finished);
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

/** A reader that sends metrics over OTLP; null when that is not asked for. */
export function createOtlpMetricReader(options: OtlpOptions): IMetricReader | null {
  if (options.metricsUrl === null) return null;
  const exportIntervalMillis = options.metricsIntervalMs ?? 60_000;
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: options.metricsUrl, headers: { ...options.headers } }),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(exportIntervalMillis, 30_000),
  });
}

/** The resource of a node's spans and metrics. */
export function describeNode(node: ReportingNode, options: OtlpOptions): Resource {
  return defaultResource().merge(
    resourceFromAttributes({
      "service.name": options.serviceName,
      "service.version": node.version,
      "service.instance.id": node.nodeId,
      "astromesh.node.name": node.name,
      ...options.resourceAttributes,
    }),
  );
}

function toOtel({ name, kind, attributes }: SpanFacts): [string, SpanOptions] {
  return [name, { kind: KINDS[kind], attributes }];
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
