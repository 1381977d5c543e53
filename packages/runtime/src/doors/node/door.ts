import type { z } from "@hono/zod-openapi";
/**
 * What nodes ask of each other. A request is answered by what this node has; whether it may go on to a third node is
 * routing's to say (`runsFor`). Errors are those of REST, with one header more: whether anything was begun.
 */
import { Hono } from "hono";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";

import { AstromeshError, toAstromeshError } from "../../core/index.ts";
import type { ErrorCode } from "../../core/index.ts";
import { PEER_HEADERS } from "../../wire/index.ts";
import { invalidRequest, isDefect, toErrorAnswer } from "../rest/index.ts";
import { peerAddressOf } from "../server.ts";
import { serveAgents } from "./agents.ts";
import type { NodeDoorApp, NodeDoorContext, NodeDoorDeps, NodeDoorEnv, NodeDoorOptions, PeerRoute } from "./context.ts";
import { serveInference } from "./inference.ts";
import { serveMemory } from "./memory.ts";
import { serveRuns } from "./runs.ts";

const DEFAULTS = { bodyLimitBytes: 67_108_864, keepAliveMs: 5_000 };

/** With these nothing was begun, so the sender may ask another node. */
const NOT_STARTED: ReadonlySet<ErrorCode> = new Set([
  "admission_full",
  "agent_not_found",
  "draining",
  "misdirected",
  "no_service",
  "peer_unproven",
  "rate_limited",
  "unauthorized",
]);

/** Makes the door's app, to be mounted beside the other doors. Construction has no side effects. */
export function createNodeDoor(deps: NodeDoorDeps, given: NodeDoorOptions = {}): NodeDoorApp {
  const options = { ...DEFAULTS, ...given };
  const app: NodeDoorApp = new Hono<NodeDoorEnv>();
  app.onError((error, c) => answerError(error, c, deps));
  const limit = bodyLimit({
    maxSize: options.bodyLimitBytes,
    onError: () => {
      throw new AstromeshError("payload_too_large", `the body is over ${options.bodyLimitBytes} bytes`);
    },
  });
  const context: NodeDoorContext = {
    deps,
    options,
    serve(route, handler) {
      app.post(route.path, limit, async (c) => {
        const body = await c.req.text();
        const caller = admit(c, body, route, deps);
        if (deps.drain.draining && !route.whileDraining) {
          throw new AstromeshError("draining", "the node is shutting down and takes no new work");
        }
        const deadline = deadlineOf(caller.deadlineMs, c.req.raw.signal, deps);
        try {
          const result = await handler({ body: parse(body, route), caller, signal: deadline.signal });
          const response = result instanceof Response ? result : c.json(result);
          response.headers.set(PEER_HEADERS.depth, String(deps.depth()));
          return response;
        } finally {
          deadline.clear();
        }
      });
    },
  };
  serveRuns(context);
  serveAgents(context);
  serveMemory(context);
  serveInference(context);
  return app;
}

function admit(
  c: Context<NodeDoorEnv>,
  body: string,
  route: Pick<PeerRoute<z.ZodType>, "anyReceiver">,
  deps: NodeDoorDeps,
) {
  const { pathname, search } = new URL(c.req.url);
  return deps.gate.admit(
    {
      headers: c.req.raw.headers,
      method: c.req.method,
      path: pathname + search,
      body,
      peerAddress: peerAddressOf(c.env),
    },
    route.anyReceiver ?? false,
  );
}

function parse<S extends z.ZodType>(text: string, { body }: PeerRoute<S>): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AstromeshError("invalid_json", "the body is not valid JSON", { cause });
  }
  const parsed = body.safeParse(value);
  if (!parsed.success) throw invalidRequest(parsed.error.issues);
  return parsed.data;
}

/** The sender's patience, counted on this node's clock. It bounds the answer's head; streams end with their reader. */
function deadlineOf(deadlineMs: number | null, client: AbortSignal, { clock }: NodeDoorDeps) {
  const over = new AbortController();
  if (deadlineMs !== null) {
    clock.sleep(deadlineMs, over.signal).then(
      () => over.abort(new AstromeshError("run_timeout", "the sender's deadline is over")),
      () => undefined,
    );
  }
  return { signal: AbortSignal.any([client, over.signal]), clear: () => over.abort() };
}

function answerError(thrown: unknown, c: Context<NodeDoorEnv>, deps: NodeDoorDeps): Response {
  const { code, details } = toAstromeshError(thrown);
  const traceId = c.req.header("traceparent")?.split("-")[1] ?? "";
  const answer = toErrorAnswer(thrown, traceId);
  if (isDefect(answer.status) && !c.req.raw.signal.aborted) {
    deps.logger.error("a request of another node failed", { traceId, path: c.req.path, error: thrown });
  }
  const response = c.json(answer.body, answer.status, answer.headers);
  if (NOT_STARTED.has(code)) response.headers.set(PEER_HEADERS.notStarted, "true");
  const challenge = code === "peer_unproven" ? details["challenge"] : undefined;
  if (typeof challenge === "string") response.headers.set(PEER_HEADERS.challenge, challenge);
  return response;
}
