import { AstromeshError } from "../../../core/index.ts";
import type { ToolListing } from "../../../core/ports/index.ts";
import { toolExecuted, toolExecuteRequest, toolList, toolToWire } from "../../../wire/index.ts";
import type { ToolListingBody } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { json, jsonBody, restRoute } from "../route.ts";

const tags = ["tools"];

/** Tools. */
export const toolRoutes = {
  list: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/tools",
      operationId: "listTools",
      tags,
      summary: "The builtin tools, and those that agents bring",
      responses: { 200: json(toolList, "The tools") },
    },
  ),
  builtin: restRoute(
    { scope: "read" },
    {
      method: "get",
      path: "/v1/tools/builtin",
      operationId: "listBuiltinTools",
      tags,
      summary: "The builtin tools",
      responses: { 200: json(toolList, "The tools") },
    },
  ),
  execute: restRoute(
    {
      scope: "run",
      guarded: true,
      errors: [
        "tool_not_found",
        "agent_not_found",
        "tool_invalid_arguments",
        "tool_denied",
        "tool_failed",
        "tool_timeout",
      ],
    },
    {
      method: "post",
      path: "/v1/tools/execute",
      operationId: "executeTool",
      tags,
      summary: "Calls a tool outside any run",
      request: { body: jsonBody(toolExecuteRequest) },
      responses: { 200: json(toolExecuted, "What it returned") },
    },
  ),
};

/** Serves them. */
export function serveTools({ deps, serve }: RestContext): void {
  serve(toolRoutes.list, (c) => {
    const tools = allTools(deps);
    return c.json({ tools, count: tools.length }, 200);
  });
  serve(toolRoutes.builtin, (c) => {
    const tools = allTools(deps).filter((tool) => tool.source === "builtin");
    return c.json({ tools, count: tools.length }, 200);
  });
  serve(toolRoutes.execute, async (c) => {
    const { tool_name: name, arguments: args = {}, agent = null } = c.req.valid("json");
    const call = { name, arguments: args, agent };
    const outcome = await deps.executor.execute(call, c.get("principal"), c.req.raw.signal);
    if (!outcome.ok) throw new AstromeshError(outcome.code, outcome.message);
    return c.json({ tool: name, ok: true as const, result: outcome.data }, 200);
  });
}

/** Builtin tools and what agents bring, each once, with the agents that offer it. */
function allTools({ tools, catalog }: Pick<RestContext["deps"], "tools" | "catalog">): ToolListingBody[] {
  const found = new Map<string, { readonly tool: ToolListing; readonly agents: string[] }>();
  const keyOf = (tool: { source: string; name: string }): string => `${tool.source} ${tool.name}`;
  for (const tool of tools.builtin()) found.set(keyOf(tool), { tool, agents: [] });
  for (const [agent, { definition }] of catalog.current().agents) {
    for (const tool of tools.forAgent(definition).values()) {
      const listing: ToolListing = { ...tool.spec, source: tool.source, effect: tool.effect };
      const entry = found.get(keyOf(listing)) ?? { tool: listing, agents: [] };
      entry.agents.push(agent);
      found.set(keyOf(listing), entry);
    }
  }
  return [...found.values()].map((entry) => toolToWire(entry.tool, entry.agents));
}
