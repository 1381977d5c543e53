import { z } from "@hono/zod-openapi";

import { AstromeshError, isJsonObject } from "../../../core/index.ts";
import type { JsonObject, RejectedAgent } from "../../../core/index.ts";
import type { Catalog } from "../../../core/ports/index.ts";
import {
  agentCheck,
  agentCheckToWire,
  agentDetail,
  agentDetailToWire,
  agentDocument,
  agentList,
  agentRemoved,
  agentToWire,
  rejectedToWire,
} from "../../../wire/index.ts";
import type { AgentDetail } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { invalidFields } from "../errors.ts";
import { json, jsonBody, optionalBody, restRoute } from "../route.ts";

const params = z.object({ name: z.string() });
const tags = ["agents"];

/** Agent definitions. */
export const agentRoutes = {
  list: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/agents",
      operationId: "listAgents",
      tags,
      summary: "The agents, those whose file does not load among them",
      responses: { 200: json(agentList, "The agents by name") },
    },
  ),
  get: restRoute(
    { scope: "read", errors: ["agent_not_found"] },
    {
      method: "get",
      path: "/v1/agents/{name}",
      operationId: "getAgent",
      tags,
      summary: "One agent with its whole definition; secrets hidden",
      request: { params },
      responses: { 200: json(agentDetail, "The agent") },
    },
  ),
  create: restRoute(
    { scope: "admin", errors: ["agent_invalid", "agent_read_only"] },
    {
      method: "post",
      path: "/v1/agents",
      operationId: "createAgent",
      tags,
      summary: "Keeps a new agent in the store",
      request: { body: jsonBody(agentDocument) },
      responses: { 201: json(agentDetail, "Kept and loaded") },
    },
  ),
  replace: restRoute(
    { scope: "admin", errors: ["agent_invalid", "agent_read_only"] },
    {
      method: "put",
      path: "/v1/agents/{name}",
      operationId: "replaceAgent",
      tags,
      summary: "Keeps an agent in the store, replacing the one of that name",
      request: { params, body: jsonBody(agentDocument) },
      responses: { 200: json(agentDetail, "Kept and loaded") },
    },
  ),
  remove: restRoute(
    { scope: "admin", errors: ["agent_not_found", "agent_read_only"] },
    {
      method: "delete",
      path: "/v1/agents/{name}",
      operationId: "removeAgent",
      tags,
      summary: "Removes an agent from the store; its runs keep the definition that they began with",
      request: { params },
      responses: { 200: json(agentRemoved, "Removed") },
    },
  ),
  validate: restRoute(
    { scope: "read" },
    {
      method: "post",
      path: "/v1/agents/validate",
      operationId: "validateAgent",
      tags,
      summary: "Checks a definition without keeping it",
      request: { body: jsonBody(agentDocument) },
      responses: { 200: json(agentCheck, "What was found") },
    },
  ),
  validateNamed: restRoute(
    { scope: "read", errors: ["agent_not_found"] },
    {
      method: "post",
      path: "/v1/agents/{name}/validate",
      operationId: "validateNamedAgent",
      tags,
      summary: "Checks a definition for this name; without a body, the agent as it is loaded",
      request: { params, body: optionalBody(agentDocument) },
      responses: { 200: json(agentCheck, "What was found") },
    },
  ),
};

/** Serves them. */
export function serveAgents({ deps, serve }: RestContext): void {
  const { agents, catalog } = deps;
  serve(agentRoutes.list, (c) => {
    const current = catalog.current();
    const list = listAgents(current);
    return c.json({ agents: list, count: list.length, generation: current.generation }, 200);
  });
  serve(agentRoutes.get, (c) => c.json(findAgent(catalog.current(), c.req.valid("param").name), 200));
  serve(agentRoutes.create, async (c) => {
    const kept = await agents.put(c.req.valid("json"), { create: true });
    const { name } = kept.definition;
    return c.json(agentDetailToWire(kept), 201, { location: `/v1/agents/${encodeURIComponent(name)}` });
  });
  serve(agentRoutes.replace, async (c) => {
    const document = c.req.valid("json");
    const mismatch = nameMismatch(document, c.req.valid("param").name);
    if (mismatch !== null) throw invalidFields([mismatch]);
    return c.json(agentDetailToWire(await agents.put(document, { create: false })), 200);
  });
  serve(agentRoutes.remove, async (c) => {
    const { name } = c.req.valid("param");
    await agents.remove(name);
    return c.json({ name, status: "removed" as const }, 200);
  });
  serve(agentRoutes.validate, (c) => c.json(agentCheckToWire(agents.check(c.req.valid("json"))), 200));
  serve(agentRoutes.validateNamed, (c) => {
    const { name } = c.req.valid("param");
    const document = c.req.valid("json");
    if (Object.keys(document).length === 0) {
      const agent = findAgent(catalog.current(), name);
      const errors = agent.errors.map((message) => ({ path: "", message }));
      return c.json({ valid: errors.length === 0, errors, notices: agent.notices }, 200);
    }
    const check = agentCheckToWire(agents.check(document));
    const mismatch = nameMismatch(document, name);
    if (mismatch === null) return c.json(check, 200);
    return c.json({ ...check, valid: false, errors: [mismatch, ...check.errors] }, 200);
  });
}

function rejectedByName(catalog: Catalog): Map<string, RejectedAgent> {
  return new Map(catalog.rejected.map((agent) => [agent.name, agent]));
}

function listAgents(catalog: Catalog): ReturnType<typeof agentToWire>[] {
  const rejected = rejectedByName(catalog);
  const ready = [...catalog.agents].map(([name, agent]) => agentToWire(agent, rejected.get(name)));
  const invalid = catalog.rejected.filter((agent) => !catalog.agents.has(agent.name)).map(rejectedToWire);
  return [...ready, ...invalid].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function findAgent(catalog: Catalog, name: string): AgentDetail {
  const rejected = rejectedByName(catalog).get(name);
  const agent = catalog.agents.get(name);
  if (agent !== undefined) return agentDetailToWire(agent, rejected);
  if (rejected !== undefined) return { ...rejectedToWire(rejected), definition: null };
  throw new AstromeshError("agent_not_found", `no agent named ${name}`);
}

/** A document must not be kept under another name than its own. */
function nameMismatch(document: JsonObject, name: string): { path: string; message: string } | null {
  const { metadata } = document;
  const own = isJsonObject(metadata) ? metadata["name"] : undefined;
  if (own === undefined || own === name) return null;
  return { path: "metadata.name", message: `is ${JSON.stringify(own)}, but the address says ${JSON.stringify(name)}` };
}
