import type { Attributes } from "@opentelemetry/api";

/** What a span is called and what it says. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly attributes: Attributes;
}

/** A stretch of work that is over, with ids that were settled before: a run's or an effect's. */
export interface FinishedSpan extends SpanFacts {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** Milliseconds since the Unix epoch, as is `endedAt`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** A stable code, such as an ErrorCode; null when the work succeeded. */
  readonly errorCode: string | null;
}

/** A span that has begun. */
export interface Span {
  /** What the next hop is told; null while tracing is off. */
  readonly traceparent: string | null;
  rename(name: string): void;
  set(attributes: Attributes): void;
  fail(errorCode: string): void;
  /** Ends the span. Later calls do nothing. */
  end(): void;
}

/** Makes spans, by hand: no library is patched. */
export interface Tracing {
  readonly enabled: boolean;
  /** Begins a span under a `traceparent`, or a trace when it is null. */
  start(facts: SpanFacts, parent: string | null): Span;
  record(span: FinishedSpan): void;
  /** Sends what is pending; false when that did not succeed within `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Flushes and closes. Idempotent. */
  stop(timeoutMs: number): Promise<void>;
}

const NO_SPAN: Span = {
  traceparent: null,
  rename: () => undefined,
  set: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

/** Tracing that is off. */
export const NO_TRACING: Tracing = {
  enabled: false,
  start: () => NO_SPAN,
  record: () => undefined,
  flush: () => Promise.resolve(true),
  stop: () => Promise.resolve(),
};
