import { z } from "@hono/zod-openapi";

import { AstromeshError } from "../../../core/index.ts";
import { errorBody, healthBody, healthDetail, readyBody } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { json, restRoute } from "../route.ts";

const open = { scope: "open", whileDraining: true } as const;

/** Health, readiness, metrics: open or cheap, and answered to the last. */
export const healthRoutes = {
  health: restRoute(open, {
    method: "get",
    path: "/health",
    operationId: "health",
    tags: ["health"],
    summary: "Is the process alive? Needs no store and no lock",
    responses: { 200: json(healthBody, "Alive") },
  }),
  healthV1: restRoute(open, {
    method: "get",
    path: "/v1/health",
    operationId: "healthV1",
    tags: ["health"],
    summary: "Is the process alive, and since when?",
    responses: { 200: json(healthDetail, "Alive") },
  }),
  healthApi: restRoute(open, {
    method: "get",
    path: "/api/v1/health",
    operationId: "healthApi",
    tags: ["health"],
    summary: "The same as /health",
    responses: { 200: json(healthBody, "Alive") },
  }),
  ready: restRoute(open, {
    method: "get",
    path: "/ready",
    operationId: "ready",
    tags: ["health"],
    summary: "Does the node take work?",
    responses: { 200: json(readyBody, "Ready"), 503: json(readyBody, "Not ready; `reasons` says why") },
  }),
  metrics: restRoute(
    { scope: "read", whileDraining: true },
    {
      method: "get",
      path: "/metrics",
      operationId: "metrics",
      tags: ["health"],
      summary: "Metrics as Prometheus text",
      responses: { 200: { description: "Metrics", content: { "text/plain": { schema: z.string() } } } },
    },
  ),
  mesh: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/mesh/state",
      operationId: "meshState",
      tags: ["mesh"],
      summary: "The mesh as this node sees it; this node runs alone",
      responses: { 503: json(errorBody, "`mesh_disabled`: the node is not part of a mesh") },
    },
  ),
};

/** Serves them. */
export function serveHealth({ deps, options, serve }: RestContext): void {
  const startedAt = deps.clock.monotonic();
  const health = { status: "healthy" as const, version: options.version };
  const { health: short, healthV1, healthApi, ready, metrics, mesh } = healthRoutes;
  serve(short, (c) => c.json(health, 200));
  serve(healthApi, (c) => c.json(health, 200));
  serve(healthV1, (c) => {
    const uptime_seconds = Math.floor((deps.clock.monotonic() - startedAt) / 1_000);
    return c.json({ ...health, uptime_seconds }, 200);
  });
  serve(ready, (c) => {
    const reasons = [...deps.node.unready()];
    if (deps.drain.draining && !reasons.includes("draining")) reasons.push("draining");
    if (reasons.length === 0) return c.json({ status: "ready" as const, detail: "ready", reasons }, 200);
    return c.json({ status: "not_ready" as const, detail: `not ready: ${reasons.join("; ")}`, reasons }, 503);
  });
  serve(metrics, async (c) =>
    c.text(await deps.node.metrics(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  serve(mesh, () => {
    throw new AstromeshError("mesh_disabled", "Mesh not enabled on this node");
  });
}
