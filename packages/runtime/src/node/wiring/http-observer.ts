import { AsyncLocalStorage } from "node:async_hooks";

import { parseTraceparent } from "../../core/index.ts";
import type { FetchHandler, RequestFacts } from "../../doors/index.ts";
import { httpServerSpan, SEMCONV, withTraceContext } from "../../telemetry/index.ts";
import type { Metrics, Span, Tracing } from "../../telemetry/index.ts";

/** Watches the HTTP server's requests. */
export interface HttpObserver {
  /** Puts a span around each request; the door then sees the span's `traceparent` in place of the caller's. */
  around(handler: FetchHandler): FetchHandler;
  /** Told by the door when it knows a request's route and status. */
  answered(facts: RequestFacts): void;
}

/** Makes an observer. While tracing is off a request costs one metric and nothing else. */
export function createHttpObserver(deps: { readonly metrics: Metrics; readonly tracing: Tracing }): HttpObserver {
  const spans = new AsyncLocalStorage<Span>();

  return {
    around(handler) {
      if (!deps.tracing.enabled) return handler;
      return async (request, env) => {
        const { pathname } = new URL(request.url);
        const span = deps.tracing.start(
          httpServerSpan({ method: request.method, path: pathname }),
          request.headers.get("traceparent"),
        );
        const { traceparent } = span;
        if (traceparent !== null) request.headers.set("traceparent", traceparent);
        const traceId = parseTraceparent(traceparent)?.traceId;
        try {
          return await spans.run(span, () =>
            withTraceContext(traceId === undefined ? {} : { traceId }, () => handler(request, env)),
          );
        } finally {
          span.end();
        }
      };
    },
    answered({ method, route, status, durationMs }) {
      deps.metrics.httpDuration.recordMs(durationMs, {
        [SEMCONV.httpMethod]: method,
        [SEMCONV.httpRoute]: route,
        [SEMCONV.httpStatus]: String(status),
      });
      const span = spans.getStore();
      if (span === undefined) return;
      span.rename(`${method} ${route}`);
      span.set({ [SEMCONV.httpRoute]: route, [SEMCONV.httpStatus]: status });
      if (status >= 500) span.fail(String(status));
    },
  };
}
