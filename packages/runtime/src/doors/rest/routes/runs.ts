import { z } from "@hono/zod-openapi";

import type { RunFilter } from "../../../core/ports/index.ts";
import {
  agentName,
  journalBody,
  journalToWire,
  runAccepted,
  runBody,
  runPage,
  runStatus,
  runSubmitRequest,
  runToWire,
  sessionId,
} from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { json, jsonBody, restRoute } from "../route.ts";
import { runIdOf, submit, submitHeaders } from "../submission.ts";

const params = z.object({ run_id: z.string() });
const tags = ["runs"];

/** Durable runs: begin, find, read. */
export const runRoutes = {
  submit: restRoute(
    {
      scope: "run",
      errors: ["agent_not_found", "session_busy", "admission_full", "idempotency_key_reused", "store_full"],
    },
    {
      method: "post",
      path: "/v1/runs",
      operationId: "submitRun",
      tags,
      summary: "Begins a run; answers once it is on disk. `Idempotency-Key`: same key, same run",
      request: { headers: submitHeaders, body: jsonBody(runSubmitRequest) },
      responses: { 202: json(runAccepted, "The run is on disk") },
    },
  ),
  list: restRoute(
    { scope: "read", whileDraining: true },
    {
      method: "get",
      path: "/v1/runs",
      operationId: "listRuns",
      tags,
      summary: "The caller's runs, newest first",
      request: {
        query: z.object({
          agent: agentName.optional(),
          status: runStatus.optional(),
          session: sessionId.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(20),
          cursor: z
            .string()
            .regex(/^[A-Za-z0-9_.:-]{1,128}$/, "must be the next_cursor of a page before")
            .optional(),
        }),
      },
      responses: { 200: json(runPage, "A page of runs") },
    },
  ),
  get: restRoute(
    { scope: "read", whileDraining: true, errors: ["run_not_found"] },
    {
      method: "get",
      path: "/v1/runs/{run_id}",
      operationId: "getRun",
      tags,
      summary: "One run as it stands",
      request: { params },
      responses: { 200: json(runBody, "The run") },
    },
  ),
  journal: restRoute(
    { scope: "read", whileDraining: true, errors: ["run_not_found"] },
    {
      method: "get",
      path: "/v1/runs/{run_id}/journal",
      operationId: "getRunJournal",
      tags,
      summary: "The ordered record of a run's effects",
      request: { params },
      responses: { 200: json(journalBody, "The journal") },
    },
  ),
};

/** Serves them. */
export function serveRuns({ deps, serve }: RestContext): void {
  const { runs } = deps;
  serve(runRoutes.submit, async (c) => {
    const { agent, ...question } = c.req.valid("json");
    const { "idempotency-key": idempotencyKey } = c.req.valid("header");
    const run = await submit(runs, c, { agent, question, idempotencyKey });
    return c.json({ run_id: run.runId, status: run.status, session_id: run.sessionId, trace_id: run.traceId }, 202, {
      location: `/v1/runs/${run.runId}`,
      "x-astromesh-run-id": run.runId,
    });
  });
  serve(runRoutes.list, async (c) => {
    const { agent, status, session, limit, cursor } = c.req.valid("query");
    const filter: RunFilter = {
      // One more than asked for tells whether there is another page.
      limit: limit + 1,
      ...(agent === undefined ? {} : { agent }),
      ...(status === undefined ? {} : { status }),
      ...(session === undefined ? {} : { sessionId: session }),
      ...(cursor === undefined ? {} : { before: cursor }),
    };
    const found = await runs.list(filter, c.get("principal"));
    const page = found.slice(0, limit);
    const next_cursor = found.length > limit ? (page.at(-1)?.runId ?? null) : null;
    return c.json({ runs: page.map(runToWire), next_cursor }, 200);
  });
  serve(runRoutes.get, async (c) => {
    const run = await runs.get(runIdOf(c.req.valid("param").run_id), c.get("principal"));
    return c.json(runToWire(run), 200);
  });
  serve(runRoutes.journal, async (c) => {
    const runId = runIdOf(c.req.valid("param").run_id);
    return c.json(journalToWire(runId, await runs.journal(runId, c.get("principal"))), 200);
  });
}
