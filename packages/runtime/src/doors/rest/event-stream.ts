import { isFinal } from "../../core/index.ts";
import type { StreamEvent } from "../../core/index.ts";
import { formatEventId, runEventToWire } from "../../wire/index.ts";
import { SSE_HEADERS, sseStream } from "../sse.ts";
import type { SseFrame } from "../sse.ts";
import type { RestContext } from "./context.ts";

/** A response of server-sent events under this door's settings. */
export function eventStream(
  { deps, options }: RestContext,
  open: (signal: AbortSignal) => AsyncIterable<SseFrame>,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly onDisconnect?: () => void } = {},
): Response {
  const body = sseStream(open, {
    clock: deps.clock,
    keepAliveMs: options.keepAliveMs,
    closing: deps.drain.closing,
    onError: (error) => deps.logger.error("a stream broke off", { error }),
    ...(more.onDisconnect === undefined ? {} : { onDisconnect: more.onDisconnect }),
  });
  return new Response(body, { headers: { ...SSE_HEADERS, ...more.headers } });
}

/** A run's events as frames; the final event ends them. */
export async function* runFrames(events: AsyncIterable<StreamEvent>): AsyncGenerator<SseFrame> {
  for await (const item of events) {
    yield { id: formatEventId(item), event: item.event.type, data: JSON.stringify(runEventToWire(item.event)) };
    if (isFinal(item.event)) return;
  }
}
