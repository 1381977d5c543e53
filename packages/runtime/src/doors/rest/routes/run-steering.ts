import { z } from "@hono/zod-openapi";

import type { Json } from "../../../core/index.ts";
import { approvalRequest, resolveRequest, runBody, runToWire, signalRequest } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { json, jsonBody, optionalBody, restRoute } from "../route.ts";
import { runIdOf } from "../submission.ts";

const params = z.object({ run_id: z.string() });
const tags = ["runs"];
const responses = { 202: json(runBody, "Noted on disk; the run as it then stands") };
const errors = ["run_not_found", "run_ended", "invalid_request"] as const;

/** Steering a run from outside. */
export const steeringRoutes = {
  cancel: restRoute(
    { scope: "run", errors },
    {
      method: "post",
      path: "/v1/runs/{run_id}/cancel",
      operationId: "cancelRun",
      tags,
      summary: "Asks a run to stop; takes no body",
      request: { params },
      responses,
    },
  ),
  signal: restRoute(
    { scope: "run", errors },
    {
      method: "post",
      path: "/v1/runs/{run_id}/signal",
      operationId: "signalRun",
      tags,
      summary: "Sends a run a message that it waits for",
      request: { params, body: jsonBody(signalRequest) },
      responses,
    },
  ),
  approve: restRoute(
    { scope: "approve", errors },
    {
      method: "post",
      path: "/v1/runs/{run_id}/approve",
      operationId: "approveRun",
      tags,
      summary: "Lets the call that waits for a person go on",
      request: { params, body: optionalBody(approvalRequest) },
      responses,
    },
  ),
  reject: restRoute(
    { scope: "approve", errors },
    {
      method: "post",
      path: "/v1/runs/{run_id}/reject",
      operationId: "rejectRun",
      tags,
      summary: "Refuses the call that waits for a person; the run goes on without it",
      request: { params, body: optionalBody(approvalRequest) },
      responses,
    },
  ),
  resolve: restRoute(
    { scope: "approve", errors },
    {
      method: "post",
      path: "/v1/runs/{run_id}/resolve",
      operationId: "resolveRun",
      tags,
      summary: "Says what became of an effect whose outcome a crash hid",
      request: { params, body: jsonBody(resolveRequest) },
      responses,
    },
  ),
};

/** Serves them. */
export function serveSteering({ deps, serve }: RestContext): void {
  const { runs } = deps;
  serve(steeringRoutes.cancel, async (c) => {
    const run = await runs.cancel(runIdOf(c.req.valid("param").run_id), c.get("principal"));
    return c.json(runToWire(run), 202);
  });
  serve(steeringRoutes.signal, async (c) => {
    const { name, payload = null, signal_id: signalId = null } = c.req.valid("json");
    const runId = runIdOf(c.req.valid("param").run_id);
    return c.json(runToWire(await runs.signal(runId, c.get("principal"), { name, payload, signalId })), 202);
  });
  for (const [route, approved] of [
    [steeringRoutes.approve, true],
    [steeringRoutes.reject, false],
  ] as const) {
    serve(route, async (c) => {
      const { position, reason = null } = c.req.valid("json");
      const runId = runIdOf(c.req.valid("param").run_id);
      const answer = answerTo("approve", position, { approved, reason });
      return c.json(runToWire(await runs.signal(runId, c.get("principal"), answer)), 202);
    });
  }
  serve(steeringRoutes.resolve, async (c) => {
    const { position, outcome, result = null, reason = null } = c.req.valid("json");
    const runId = runIdOf(c.req.valid("param").run_id);
    const answer = answerTo("resolve", position, { outcome, result, reason });
    return c.json(runToWire(await runs.signal(runId, c.get("principal"), answer)), 202);
  });
}

/** A person's answer as a signal: about the call at a position of the journal, or about the only one that waits. */
function answerTo(
  question: "approve" | "resolve",
  position: string | undefined,
  payload: Json,
): { readonly name: string; readonly payload: Json; readonly signalId: null } {
  return { name: position === undefined ? question : `${question}:${position}`, payload, signalId: null };
}
