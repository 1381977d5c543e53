import { z } from "@hono/zod-openapi";
import type { Context } from "hono";

import { AstromeshError, fromErrorRecord, isEnded, isFinal } from "../../../core/index.ts";
import type { JsonObject, Principal, Run, StreamEvent } from "../../../core/index.ts";
import { agentRunRequest, foldToolCalls, runAccepted, runAnswer, runAnswerToWire } from "../../../wire/index.ts";
import type { ToolCallSummary } from "../../../wire/index.ts";
import type { RestContext, RestEnv } from "../context.ts";
import { eventStream, runFrames } from "../event-stream.ts";
import { headerText } from "../header-text.ts";
import { json, jsonBody, restRoute } from "../route.ts";
import { submit, submitHeaders } from "../submission.ts";

const RUN_ERRORS = [
  "agent_not_found",
  "run_timeout",
  "session_busy",
  "cancelled",
  "guardrail_blocked",
  "prompt_invalid",
  "idempotency_key_reused",
  "admission_full",
  "budget_exceeded",
  "run_failed",
  "run_poison",
  "model_unavailable",
  "model_timeout",
  "model_rate_limited",
  "model_rejected",
  "model_auth",
  "model_not_found",
  "model_bad_response",
  "model_stream_broken",
  "model_circuit_open",
  "no_service",
  "store_full",
] as const;

/** Running an agent and waiting for its answer. */
export const agentRunRoutes = {
  run: restRoute(
    { scope: "run", errors: RUN_ERRORS },
    {
      method: "post",
      path: "/v1/agents/{name}/run",
      operationId: "runAgent",
      tags: ["agents"],
      summary: "Runs an agent and waits for its answer",
      description:
        "With `stream: true` or `Accept: text/event-stream` the run's events come as server-sent events (schema " +
        "RunEvent). `Idempotency-Key`: same key, same run; while it still goes, a second request waits for it. A run " +
        "outlives a client that leaves, unless `on_disconnect` is `cancel`.",
      request: { params: z.object({ name: z.string() }), headers: submitHeaders, body: jsonBody(agentRunRequest) },
      responses: {
        200: {
          description: "The run completed, perhaps with a partial result (`stop_reason`)",
          content: { "application/json": { schema: runAnswer }, "text/event-stream": { schema: z.string() } },
        },
        202: json(runAccepted, "The run waits, for a person or a time; read it by its id"),
      },
    },
  ),
};

/** Serves it. */
export function serveAgentRun(context: RestContext): void {
  const { deps, options, serve } = context;
  serve(agentRunRoutes.run, async (c) => {
    const { name } = c.req.valid("param");
    const { stream, wait_ms: waitMs, on_disconnect: onDisconnect, ...question } = c.req.valid("json");
    const principal = c.get("principal");
    const { "idempotency-key": idempotencyKey } = c.req.valid("header");
    const started = await submit(deps.runs, c, { agent: name, question, idempotencyKey });
    const routedTo = deps.places?.routedTo(started.runId) ?? options.nodeName;
    const headers = { "x-astromesh-routed-to": headerText(routedTo), "x-astromesh-run-id": started.runId };
    const leave = onDisconnect === "cancel" ? () => cancel(context, started.runId, principal) : () => undefined;
    if (stream ?? wantsEvents(c)) {
      const open = (signal: AbortSignal) => runFrames(deps.runs.events(started.runId, principal, null, signal));
      return eventStream(context, open, { headers, onDisconnect: leave });
    }
    for (const [header, value] of Object.entries(headers)) c.header(header, value);
    const client = c.req.raw.signal;
    client.addEventListener("abort", leave, { once: true });
    const run = await deps.runs.settled(started.runId, principal, waitMs ?? options.defaultWaitMs, client);
    const inferenceNode = deps.places === undefined ? options.nodeName : deps.places.inferenceNode(run.runId);
    if (run.provider !== null && inferenceNode !== null) {
      c.header("x-astromesh-inference-node", headerText(inferenceNode));
    }
    if (run.status === "waiting") {
      return c.json({ run_id: run.runId, status: run.status, session_id: run.sessionId, trace_id: run.traceId }, 202);
    }
    if (run.status !== "completed" || run.stopReason === "guardrail") throw failureOf(run);
    return c.json(runAnswerToWire(run, await toolCallsOf(context, run, principal)), 200);
  });
}

function wantsEvents(c: Context<RestEnv>): boolean {
  return c.req.header("accept")?.includes("text/event-stream") ?? false;
}

/** The client has left and asked for this; nobody is there to be told when it fails. */
function cancel({ deps }: RestContext, runId: string, principal: Principal): void {
  deps.runs.cancel(runId, principal).catch((error: unknown) => {
    deps.logger.info("a run could not be cancelled when its client left", { runId, error });
  });
}

/** Why there is no answer: the wait is over, or how the run ended. */
function failureOf(run: Run): AstromeshError {
  const facts: JsonObject = {
    run_id: run.runId,
    status: run.status,
    ...(run.stopReason === null ? {} : { stop_reason: run.stopReason }),
  };
  if (!isEnded(run.status)) {
    return new AstromeshError("run_timeout", "the run still goes; read it by its id", { details: facts });
  }
  if (run.error !== null) {
    const { details, ...error } = run.error;
    return fromErrorRecord({ ...error, details: { ...details, ...facts } });
  }
  const { stopReason, response } = run;
  if (stopReason === "cancelled") return new AstromeshError("cancelled", "the run was cancelled", { details: facts });
  if (stopReason === "timeout") {
    return new AstromeshError("run_timeout", "the run's own time is over", { details: facts });
  }
  if (stopReason === "guardrail") {
    return new AstromeshError("guardrail_blocked", response ?? "a guardrail refused", { details: facts });
  }
  return new AstromeshError("run_failed", "the run failed", { details: facts });
}

/**
 * The calls of a completed run, from its stream. An agent without tools makes none, so its stream is not read: the
 * answer of the plainest run must not cost another trip to the store.
 */
async function toolCallsOf({ deps }: RestContext, run: Run, principal: Principal): Promise<readonly ToolCallSummary[]> {
  const agent = deps.catalog.current().agents.get(run.agent);
  if (agent !== undefined && agent.definition.tools.length === 0) return [];
  const events: StreamEvent[] = [];
  const abort = new AbortController();
  for await (const item of deps.runs.events(run.runId, principal, null, abort.signal)) {
    if (item.event.type !== "token") events.push(item);
    if (isFinal(item.event)) break;
  }
  abort.abort();
  return foldToolCalls(events);
}
