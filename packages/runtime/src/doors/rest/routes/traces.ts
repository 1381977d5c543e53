import { z } from "@hono/zod-openapi";

import { AstromeshError } from "../../../core/index.ts";
import { agentName, traceBody, traceList, traceSummaryToWire, traceToWire } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { json, restRoute } from "../route.ts";

const tags = ["traces"];

/** The built-in timeline of runs. */
export const traceRoutes = {
  list: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/traces",
      operationId: "listTraces",
      tags,
      summary: "The newest traces",
      request: {
        query: z.object({ agent: agentName.optional(), limit: z.coerce.number().int().min(1).max(100).default(20) }),
      },
      responses: { 200: json(traceList, "The traces, newest first") },
    },
  ),
  get: restRoute(
    { scope: "read", errors: ["run_not_found"] },
    {
      method: "get",
      path: "/v1/traces/{trace_id}",
      operationId: "getTrace",
      tags,
      summary: "The runs of a trace and their timeline; no prompts, no answers",
      request: { params: z.object({ trace_id: z.string() }) },
      responses: { 200: json(traceBody, "The trace") },
    },
  ),
};

/** Serves them. */
export function serveTraces({ deps, serve }: RestContext): void {
  serve(traceRoutes.list, async (c) => {
    const { agent, limit } = c.req.valid("query");
    const filter = { limit, ...(agent === undefined ? {} : { agent }) };
    const runs = await deps.runs.list(filter, c.get("principal"));
    // Child runs share their parent's trace and are newer: the last seen, the oldest run, is the one that began it.
    const traces = new Map(runs.map((run) => [run.traceId, traceSummaryToWire(run)]));
    return c.json({ traces: [...traces.values()] }, 200);
  });
  serve(traceRoutes.get, async (c) => {
    const { trace_id: traceId } = c.req.valid("param");
    if (!/^[0-9a-f]{32}$/.test(traceId)) throw new AstromeshError("run_not_found", `no run of trace ${traceId}`);
    return c.json(traceToWire(await deps.runs.timeline(traceId, c.get("principal"))), 200);
  });
}
