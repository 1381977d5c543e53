import { z } from "@hono/zod-openapi";

import { AstromeshError } from "../../../core/index.ts";
import {
  configBody,
  doctorBody,
  doctorToWire,
  logLineToWire,
  providerList,
  providersToWire,
  reloadBody,
  reloadToWire,
  systemStatus,
  systemStatusToWire,
} from "../../../wire/index.ts";
import type { SseFrame } from "../../sse.ts";
import type { RestContext } from "../context.ts";
import { eventStream } from "../event-stream.ts";
import { json, restRoute } from "../route.ts";

/** The node itself, for operators. */
export const nodeRoutes = {
  status: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/system/status",
      operationId: "systemStatus",
      tags: ["system"],
      summary: "Version, role, services, store and runs of this node",
      responses: { 200: json(systemStatus, "The node's state") },
    },
  ),
  doctor: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/system/doctor",
      operationId: "systemDoctor",
      tags: ["system"],
      summary: "Checks of everything that the node depends on",
      responses: { 200: json(doctorBody, "What was found") },
    },
  ),
  reload: restRoute(
    { scope: "admin", errors: ["config_invalid"] },
    {
      method: "post",
      path: "/v1/system/reload",
      operationId: "systemReload",
      tags: ["system"],
      summary: "Reads agents and configuration again, as SIGHUP does; a broken runtime.yaml changes nothing",
      responses: { 200: json(reloadBody, "Applied; `errors` names agents that stay as they were") },
    },
  ),
  providers: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/providers",
      operationId: "listProviders",
      tags: ["system"],
      summary: "Model providers and how they do",
      responses: { 200: json(providerList, "The providers") },
    },
  ),
  config: restRoute(
    { scope: "admin" },
    {
      method: "get",
      path: "/v1/config",
      operationId: "config",
      tags: ["system"],
      summary: "Every setting and who set it; secrets hidden",
      responses: { 200: json(configBody, "The settings") },
    },
  ),
  logs: restRoute(
    { scope: "admin" },
    {
      method: "get",
      path: "/v1/logs",
      operationId: "tailLogs",
      tags: ["system"],
      summary: "The node's log as server-sent events named `log` (schema LogLine)",
      request: {
        query: z.object({
          backlog: z.coerce
            .number()
            .int()
            .min(0)
            .max(1_000)
            .default(100)
            .meta({ description: "Lines from before, at most as many as the node keeps" }),
        }),
      },
      responses: { 200: { description: "The tail", content: { "text/event-stream": { schema: z.string() } } } },
    },
  ),
};

/** Serves them. */
export function serveNode(context: RestContext): void {
  const { deps, serve } = context;
  serve(nodeRoutes.status, async (c) => c.json(systemStatusToWire(await deps.node.status()), 200));
  serve(nodeRoutes.doctor, async (c) => c.json(doctorToWire(await deps.node.doctor(c.req.raw.signal)), 200));
  serve(nodeRoutes.reload, async (c) => {
    const report = await deps.node.reload();
    if (!report.applied) {
      const details = { errors: [...report.errors] };
      throw new AstromeshError("config_invalid", "the configuration is not valid, so nothing was changed", { details });
    }
    return c.json(reloadToWire(report), 200);
  });
  serve(nodeRoutes.providers, async (c) => c.json(providersToWire(await deps.node.providers(c.req.raw.signal)), 200));
  serve(nodeRoutes.config, (c) => {
    const settings = deps.node.config().map(({ path, value, origin }) => ({ path, value, origin }));
    return c.json({ settings }, 200);
  });
  serve(nodeRoutes.logs, (c) => {
    const { backlog } = c.req.valid("query");
    return eventStream(context, (signal) => logFrames(context, backlog, signal));
  });
}

async function* logFrames({ deps }: RestContext, backlog: number, signal: AbortSignal): AsyncGenerator<SseFrame> {
  for await (const line of deps.node.logs(backlog, signal)) {
    yield { event: "log", data: JSON.stringify(logLineToWire(line)) };
  }
}
