import { AstromeshError, toAstromeshError, toErrorRecord } from "../../core/index.ts";
import type { ModelCall, ModelGateway } from "../../core/ports/index.ts";
import { PEER_HEADERS, peerModelCall } from "../../wire/index.ts";
import type { PeerModelEvent } from "../../wire/index.ts";
import type { SseFrame } from "../sse.ts";
import type { NodeDoorContext } from "./context.ts";
import { peerStream } from "./stream.ts";

/** Our model port over server-sent events. What it ends with is `finish` or `error`; anything else was cut off. */
export function serveInference(context: NodeDoorContext): void {
  const { deps, serve } = context;
  let open = 0;
  serve({ path: "/v1/inference/stream", body: peerModelCall, whileDraining: false }, ({ body }) => {
    const { models } = deps;
    if (models === null) throw new AstromeshError("no_service", "this node serves no models");
    const response = peerStream(context, async function* call(signal) {
      open += 1;
      try {
        yield* frames(models, body, signal);
      } finally {
        open -= 1;
      }
    });
    response.headers.set(PEER_HEADERS.modelDepth, String(open + 1));
    return response;
  });
}

async function* frames(models: ModelGateway, call: ModelCall, signal: AbortSignal): AsyncGenerator<SseFrame> {
  const frame = (event: PeerModelEvent): SseFrame => ({ event: event.type, data: JSON.stringify(event) });
  try {
    for await (const event of models.call(call, signal)) yield frame(event);
  } catch (thrown) {
    if (signal.aborted) return;
    const { retryAfterMs } = toAstromeshError(thrown);
    yield frame({ type: "error", error: toErrorRecord(thrown), retryAfterMs });
  }
}
