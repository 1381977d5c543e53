import { SSE_HEADERS, sseStream } from "../sse.ts";
import type { SseFrame } from "../sse.ts";
import type { NodeDoorContext } from "./context.ts";

/** A response of server-sent events to another node. */
export function peerStream(
  { deps, options }: NodeDoorContext,
  open: (signal: AbortSignal) => AsyncIterable<SseFrame>,
): Response {
  const body = sseStream(open, {
    clock: deps.clock,
    keepAliveMs: options.keepAliveMs,
    closing: deps.drain.closing,
    onError: (error) => deps.logger.error("a stream to another node broke off", { error }),
  });
  return new Response(body, { headers: SSE_HEADERS });
}
