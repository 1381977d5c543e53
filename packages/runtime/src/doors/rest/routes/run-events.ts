import { z } from "@hono/zod-openapi";

import { isEnded } from "../../../core/index.ts";
import type { Run, StreamEvent } from "../../../core/index.ts";
import { parseEventId } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { invalidFields } from "../errors.ts";
import { eventStream, runFrames } from "../event-stream.ts";
import { restRoute } from "../route.ts";
import { runIdOf } from "../submission.ts";

/** The stream of a run. */
export const runEventRoutes = {
  events: restRoute(
    { scope: "read", whileDraining: true, errors: ["run_not_found"] },
    {
      method: "get",
      path: "/v1/runs/{run_id}/events",
      operationId: "watchRun",
      tags: ["runs"],
      summary: "A run's events as server-sent events (schema RunEvent), live until its end",
      description:
        "Each event has the id `run_id:attempt:offset`. `Last-Event-ID` (or `after`, with an id or a bare offset) resumes " +
        "behind it; what an attempt said that died before it was durable is answered by `retract`. A bare offset is taken " +
        "to be the current attempt's. 204 when the run has ended and nothing is left to say, which also stops a browser's " +
        "EventSource from coming back.",
      request: {
        params: z.object({ run_id: z.string() }),
        query: z.object({ after: z.string().optional() }),
        headers: z.object({ "last-event-id": z.string().optional() }),
      },
      responses: {
        200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
        204: { description: "The run has ended and the client has seen all of it" },
      },
    },
  ),
};

type Place = { readonly attempt: number; readonly offset: number };

/** Serves it. */
export function serveRunEvents(context: RestContext): void {
  const { deps, serve } = context;
  serve(runEventRoutes.events, async (c) => {
    const principal = c.get("principal");
    const run = await deps.runs.get(runIdOf(c.req.valid("param").run_id), principal);
    const after = placeOf(run, c.req.valid("header")["last-event-id"], c.req.valid("query").after);
    const headers = { "x-astromesh-run-id": run.runId };
    if (!isEnded(run.status)) {
      return eventStream(context, (signal) => runFrames(deps.runs.events(run.runId, principal, after, signal)), {
        headers,
      });
    }
    const rest = deps.runs.events(run.runId, principal, after, c.req.raw.signal)[Symbol.asyncIterator]();
    const first = await rest.next();
    if (first.done === true) return c.body(null, 204, headers);
    return eventStream(context, () => runFrames(resumed(first.value, rest)), { headers });
  });
}

/** Puts the first item back before an iterator's rest. */
async function* resumed(first: StreamEvent, rest: AsyncIterator<StreamEvent>): AsyncGenerator<StreamEvent> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Where the client stands: by header, which a browser sends when it comes back, else by query; null at the start. */
function placeOf(run: Run, header: string | undefined, query: string | undefined): Place | null {
  if (header !== undefined && header !== "") return parsePlace(run, "last-event-id", header);
  if (query !== undefined && query !== "") return parsePlace(run, "after", query);
  return null;
}

function parsePlace(run: Run, path: string, text: string): Place | null {
  if (/^\s*\d{1,15}\s*$/.test(text)) {
    const offset = Number(text);
    return offset === 0 ? null : { attempt: run.attempt, offset };
  }
  const place = parseEventId(text);
  if (place === null) {
    throw invalidFields([{ path, message: "must be an event's id (run_id:attempt:offset) or an offset" }]);
  }
  if (place.runId !== run.runId) {
    throw invalidFields([{ path, message: `is an event of run ${place.runId}, not of ${run.runId}` }]);
  }
  return { attempt: place.attempt, offset: place.offset };
}
