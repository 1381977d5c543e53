import { z } from "@hono/zod-openapi";

import { isFinal } from "../../core/index.ts";
import type { StreamEvent } from "../../core/index.ts";
import {
  peerRunFilter,
  peerRunId,
  peerSettle,
  peerSignal,
  peerSubmit,
  peerTraceId,
  peerWatch,
  streamEventToPeer,
} from "../../wire/index.ts";
import type { SseFrame } from "../sse.ts";
import { principalOf } from "./context.ts";
import type { NodeDoorContext } from "./context.ts";
import { peerStream } from "./stream.ts";

const read = { whileDraining: true } as const;

/** Status and runs. A run travels as create, with an idempotency key, and then as events by offset. */
export function serveRuns(context: NodeDoorContext): void {
  const { deps, serve } = context;
  const { runsFor, places } = deps;

  serve({ path: "/v1/peer/status", body: z.object({}), anyReceiver: true, ...read }, () => deps.status());
  serve({ path: "/v1/peer/runs/submit", body: peerSubmit, whileDraining: false }, ({ body, caller }) =>
    runsFor(caller.via).submit({ ...body, principal: principalOf(caller) }),
  );
  serve({ path: "/v1/peer/runs/get", body: peerRunId, ...read }, async ({ body, caller }) => ({
    run: await runsFor(caller.via).get(body.runId, principalOf(caller)),
    inferenceNode: places.inferenceNode(body.runId),
  }));
  serve({ path: "/v1/peer/runs/settled", body: peerSettle, ...read }, async ({ body, caller, signal }) => {
    const { runId, timeoutMs } = body;
    const run = await runsFor(caller.via).settled(runId, principalOf(caller), timeoutMs, signal);
    return { run, inferenceNode: places.inferenceNode(runId) };
  });
  serve({ path: "/v1/peer/runs/list", body: peerRunFilter, ...read }, async ({ body, caller }) => ({
    runs: await runsFor(caller.via).list(body, principalOf(caller)),
  }));
  serve({ path: "/v1/peer/runs/journal", body: peerRunId, ...read }, async ({ body, caller }) => ({
    records: await runsFor(caller.via).journal(body.runId, principalOf(caller)),
  }));
  serve({ path: "/v1/peer/runs/timeline", body: peerTraceId, ...read }, ({ body, caller }) =>
    runsFor(caller.via).timeline(body.traceId, principalOf(caller)),
  );
  serve({ path: "/v1/peer/runs/cancel", body: peerRunId, ...read }, async ({ body, caller }) => ({
    run: await runsFor(caller.via).cancel(body.runId, principalOf(caller)),
    inferenceNode: places.inferenceNode(body.runId),
  }));
  serve({ path: "/v1/peer/runs/signal", body: peerSignal, ...read }, async ({ body, caller }) => {
    const { runId, ...sent } = body;
    const run = await runsFor(caller.via).signal(runId, principalOf(caller), sent);
    return { run, inferenceNode: places.inferenceNode(runId) };
  });
  serve({ path: "/v1/peer/runs/events", body: peerWatch, ...read }, async ({ body, caller }) => {
    const { runId, after } = body;
    const runs = runsFor(caller.via);
    // Asked for before the stream begins, so that an unknown run is an error and no empty stream.
    await runs.get(runId, principalOf(caller));
    return peerStream(context, (signal) => frames(runs.events(runId, principalOf(caller), after, signal)));
  });
}

async function* frames(events: AsyncIterable<StreamEvent>): AsyncGenerator<SseFrame> {
  for await (const item of events) {
    yield { event: item.event.type, data: streamEventToPeer(item) };
    if (isFinal(item.event)) return;
  }
  // Said, so that the reader can tell a whole stream from one that broke.
  yield { event: "end", data: "{}" };
}
