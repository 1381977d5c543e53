import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

import { children, readProto } from "./protobuf.ts";

/** A span as it arrived. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly durationMs: number;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, string>>;
}

/** A collector that speaks OTLP over HTTP with protobuf on loopback, and keeps what it was sent. */
export interface OtlpCollector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Names of the metrics that arrived. */
  readonly metrics: readonly string[];
  /** Headers of the last request. */
  readonly headers: IncomingHttpHeaders;
  /** From now on takes requests and never answers them. */
  blackhole(): void;
  stop(): Promise<void>;
}

/** Starts a collector. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const metrics: string[] = [];
  let headers: IncomingHttpHeaders = {};
  let silent = false;

  const server = createServer((request, response) => {
    headers = request.headers;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (silent) return;
      const raw = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      if (request.url === "/v1/traces") spans.push(...readSpans(body));
      if (request.url === "/v1/metrics") metrics.push(...readMetricNames(body));
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    metrics,
    get headers() {
      return headers;
    },
    blackhole: () => (silent = true),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** opentelemetry/proto/trace/v1/trace.proto: ResourceSpans 1 -> ScopeSpans 2 -> Span 2. */
function readSpans(body: Buffer): CollectedSpan[] {
  return children(body, 1).flatMap((resourceSpans) => {
    const resource = readAttributes(children(resourceSpans, 1)[0] ?? Buffer.alloc(0), 1);
    return children(resourceSpans, 2)
      .flatMap((scopeSpans) => children(scopeSpans, 2))
      .map((span) => ({
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentSpanId: hex(span, 4),
        name: children(span, 5)[0]?.toString() ?? "",
        durationMs: Number(number(span, 8) - number(span, 7)) / 1e6,
        kind: Number(number(span, 6)),
        attributes: readAttributes(span, 9),
        status: Number(number(children(span, 15)[0] ?? Buffer.alloc(0), 3)),
        resource,
      }));
  });
}

/** opentelemetry/proto/metrics/v1/metrics.proto: ResourceMetrics 1 -> ScopeMetrics 2 -> Metric 2 -> name 1. */
function readMetricNames(body: Buffer): string[] {
  return children(body, 1)
    .flatMap((resource) => children(resource, 2))
    .flatMap((scope) => children(scope, 2))
    .map((metric) => children(metric, 1)[0]?.toString() ?? "");
}

/** KeyValue: key 1, value 2; AnyValue: string 1, bool 2, int 3, double 4, array 5. All as text. */
function readAttributes(message: Buffer, number: number): Record<string, string> {
  const entries = children(message, number).map((pair): [string, string] => {
    const key = children(pair, 1)[0]?.toString() ?? "";
    const value = readProto(children(pair, 2)[0] ?? Buffer.alloc(0))[0];
    if (value === undefined) return [key, ""];
    if (value.number === 1) return [key, value.bytes.toString()];
    if (value.number === 4) return [key, String(value.bytes.readDoubleLE(0))];
    if (value.number === 5)
      return [
        key,
        children(value.bytes, 1)
          .map((item) => children(item, 1)[0])
          .join(","),
      ];
    return [key, value.value.toString()];
  });
  return Object.fromEntries(entries);
}

function hex(message: Buffer, number: number): string {
  return children(message, number)[0]?.toString("hex") ?? "";
}

function number(message: Buffer, field: number): bigint {
  return readProto(message).find((candidate) => candidate.number === field)?.value ?? 0n;
}
