import { z } from "@hono/zod-openapi";

import { AstromeshError } from "../../../core/index.ts";
import type { Json, Principal, Run } from "../../../core/index.ts";
import type { JournalRecord, Runs } from "../../../core/ports/index.ts";
import { approvalRequest, resolveRequest, runBody, runToWire, signalRequest } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { invalidFields } from "../errors.ts";
import { json, jsonBody, optionalBody, restRoute } from "../route.ts";
import { runIdOf } from "../submission.ts";

const params = z.object({ run_id: z.string() });
const tags = ["runs"];
const responses = { 202: json(runBody, "Noted on disk; the run as it then stands") };
const errors = ["run_not_found", "run_ended"] as const;

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
  const decide = async (
    runId: string,
    principal: Principal,
    about: PersonAsked,
    position: string | undefined,
    payload: Json,
  ): Promise<Run> => {
    const at = position ?? (await waitingPosition(runs, runId, principal, about));
    return runs.signal(runId, principal, { name: `${about}:${at}`, payload, signalId: null });
  };
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
      const run = await decide(runId, c.get("principal"), "approve", position, { approved, reason });
      return c.json(runToWire(run), 202);
    });
  }
  serve(steeringRoutes.resolve, async (c) => {
    const { position, outcome, result = null, reason = null } = c.req.valid("json");
    const runId = runIdOf(c.req.valid("param").run_id);
    const run = await decide(runId, c.get("principal"), "resolve", position, { outcome, result, reason });
    return c.json(runToWire(run), 202);
  });
}

/** What a person is asked: may this call be made, or what became of it? The first half of the signal's name. */
type PersonAsked = "approve" | "resolve";

/**
 * The call that waits for a person: for an approval the newest `signal` intent that has no outcome, for a resolution
 * the newest `ambiguous` record that has none. A run that waits for several takes a position in the request.
 */
async function waitingPosition(runs: Runs, runId: string, principal: Principal, about: PersonAsked): Promise<string> {
  const run = await runs.get(runId, principal);
  if (run.status === "completed" || run.status === "failed" || run.status === "cancelled") {
    throw new AstromeshError("run_ended", `the run has ended: ${run.status}`);
  }
  const journal = await runs.journal(runId, principal);
  const settled = new Set(journal.filter(isOutcome).map(placeOf));
  const asks = (record: JournalRecord): boolean =>
    about === "approve" ? record.kind === "signal" && record.phase === "intent" : record.phase === "ambiguous";
  const open = journal.findLast((record) => asks(record) && !settled.has(placeOf(record)));
  if (open === undefined) {
    const wanted = about === "approve" ? "an approval" : "a resolution";
    throw invalidFields([{ path: "position", message: `the run waits for no call that needs ${wanted}` }]);
  }
  return open.position;
}

const isOutcome = (record: JournalRecord): boolean => record.phase === "done" || record.phase === "failed";
const placeOf = (record: JournalRecord): string => `${record.segment} ${record.position}`;
