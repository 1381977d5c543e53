import type { Attributes, Meter, MetricOptions } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import type { Resource } from "@opentelemetry/resources";
import type { IMetricReader, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

import { METRICS } from "./metric-names.ts";
import type { MetricKind, MetricSpec } from "./metric-names.ts";
import { within } from "./within.ts";

/** One value of a metric that is read when somebody asks. */
export interface Reading<L> {
  readonly value: number;
  readonly labels: L;
}

/** What each kind of metric is told. */
interface Instruments<L> {
  readonly counter: { add(value: number, labels: L): void };
  readonly timer: { recordMs(durationMs: number, labels: L): void };
  readonly histogram: { record(value: number, labels: L): void };
  readonly observed: { observe(read: () => readonly Reading<L>[]): void };
}

type Labels<S extends MetricSpec> = Readonly<Record<S["labels"][number], string>>;

/** The instruments of metric-names.ts, each with exactly the labels that its specification names. */
export type Metrics = {
  readonly [K in keyof typeof METRICS]: Instruments<Labels<(typeof METRICS)[K]>>[(typeof METRICS)[K]["kind"]];
};

/** All metrics of a process. */
export interface Meters {
  readonly metrics: Metrics;
  /** The current values as Prometheus text (exposition format 0.0.4). */
  render(): Promise<string>;
  /** Sends what is pending to other readers (OTLP) and stops, at the latest after `timeoutMs`. Idempotent. */
  stop(timeoutMs: number): Promise<void>;
}

/**
 * Makes the metrics.
 *
 * @param push a reader that gets the values besides Prometheus (OTLP), and whose values they are for it.
 */
export function createMeters(push?: { readonly reader: IMetricReader; readonly resource: Resource }): Meters {
  // No scope or target labels: every series is this process's own.
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const provider = new MeterProvider(
    push === undefined ? { readers: [exporter] } : { readers: [exporter, push.reader], resource: push.resource },
  );
  const meter = provider.getMeter("astromesh");
  const metrics: Record<string, Instruments<Attributes>[MetricKind]> = {};
  for (const [key, spec] of Object.entries(METRICS)) metrics[key] = createInstrument(meter, spec);
  let stopped: Promise<void> | null = null;

  return {
    metrics: metrics as Metrics,
    async render() {
      const { resourceMetrics, errors } = await exporter.collect();
      if (errors.length > 0) throw new AggregateError(errors, "some metrics could not be read");
      return serializer.serialize(withUnits(resourceMetrics));
    },
    stop: (timeoutMs) => (stopped ??= within(timeoutMs, provider.shutdown()).then(() => undefined)),
  };
}

/** How each kind is made. */
const INSTRUMENTS: {
  readonly [K in MetricKind]: (meter: Meter, name: string, options: MetricOptions) => Instruments<Attributes>[K];
} = {
  counter: (meter, name, options) => {
    const counter = meter.createCounter(name, options);
    return { add: (value, labels) => counter.add(value, labels) };
  },
  timer: (meter, name, options) => {
    const histogram = meter.createHistogram(name, options);
    return { recordMs: (durationMs, labels) => histogram.record(durationMs / 1_000, labels) };
  },
  histogram: (meter, name, options) => {
    const histogram = meter.createHistogram(name, options);
    return { record: (value, labels) => histogram.record(value, labels) };
  },
  observed: (meter, name, options) => {
    const gauge = meter.createObservableGauge(name, options);
    return {
      observe: (read) =>
        gauge.addCallback((result) => {
          for (const { value, labels } of read()) result.observe(value, labels);
        }),
    };
  },
};

function createInstrument(meter: Meter, spec: MetricSpec): Instruments<Attributes>[MetricKind] {
  return INSTRUMENTS[spec.kind](meter, spec.name, {
    unit: spec.unit,
    description: spec.help,
    ...(spec.buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...spec.buckets] } }),
  });
}

/** Units as Prometheus writes them (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics). */
const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes", USD: "_usd" };

/** The serializer leaves units out of names, against the specification: they are appended here. */
function withUnits(resourceMetrics: ResourceMetrics): ResourceMetrics {
  return {
    ...resourceMetrics,
    scopeMetrics: resourceMetrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => ({
        ...metric,
        descriptor: {
          ...metric.descriptor,
          name: metric.descriptor.name + (UNIT_SUFFIXES[metric.descriptor.unit] ?? ""),
          // The text format 0.0.4 knows no UNIT line.
          unit: "",
        },
      })),
    })),
  };
}
