import type { Attributes } from "@opentelemetry/api";

/** Where a span hangs. */
export interface SpanPlace {
  /** A `traceparent`; null begins a trace. */
  readonly parent: string | null;
  /** The id of the trace that begins, when it is known before (a run's). Ignored under a parent. */
  readonly traceId?: string;
}

/** A span that has begun. */
export interface Span {
  /** What the next hop is told; null while tracing is off. */
  readonly traceparent: string | null;
  set(attributes: Attributes): void;
  event(name: string, attributes?: Attributes): void;
  /** Marks the span as failed with a stable code, such as an ErrorCode, and words for people. */
  fail(code: string, message: string): void;
  /** Ends the span. Later calls do nothing. */
  end(): void;
}

/** Makes spans, by hand: no library is patched. */
export interface Tracing {
  readonly enabled: boolean;
  start(name: string, kind: "internal" | "server" | "client", place: SpanPlace, attributes: Attributes): Span;
  /** Sends what is pending; false when that did not succeed within `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Flushes and closes. Idempotent. */
  stop(timeoutMs: number): Promise<void>;
}

const NO_SPAN: Span = {
  traceparent: null,
  set: () => undefined,
  event: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

/** Tracing that is off. */
export const NO_TRACING: Tracing = {
  enabled: false,
  start: () => NO_SPAN,
  flush: () => Promise.resolve(true),
  stop: () => Promise.resolve(),
};
