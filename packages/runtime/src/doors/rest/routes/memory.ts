import { z } from "@hono/zod-openapi";

import { AstromeshError, hasScope } from "../../../core/index.ts";
import type { Principal } from "../../../core/index.ts";
import type { ConversationKey } from "../../../core/ports/index.ts";
import { agentName, sessionCleared, sessionHistory, sessionId, turnToWire } from "../../../wire/index.ts";
import type { RestContext } from "../context.ts";
import { json, restRoute } from "../route.ts";

const params = z.object({ agent: agentName, session: sessionId });
const principal = z
  .string()
  .max(200)
  .optional()
  .meta({ description: "Whose session; another's than the caller's wants the scope admin" });
const path = "/v1/memory/{agent}/history/{session}";
const tags = ["memory"];

/** What sessions remember. */
export const memoryRoutes = {
  show: restRoute(
    { scope: "read", errors: ["agent_not_found"] },
    {
      method: "get",
      path,
      operationId: "sessionHistory",
      tags,
      summary: "The newest turns of a session, oldest of them first",
      request: { params, query: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50), principal }) },
      responses: { 200: json(sessionHistory, "The turns") },
    },
  ),
  clear: restRoute(
    { scope: "run", errors: ["agent_not_found"] },
    {
      method: "delete",
      path,
      operationId: "clearSession",
      tags,
      summary: "Forgets a session",
      request: { params, query: z.object({ principal }) },
      responses: { 200: json(sessionCleared, "Forgotten") },
    },
  ),
};

/** Serves them. */
export function serveMemory({ deps, serve }: RestContext): void {
  /** What is there of an agent that is gone can still be read and forgotten; an agent that never was is an error. */
  const known = (agent: string, found: boolean): void => {
    if (!found && !deps.catalog.current().agents.has(agent)) {
      throw new AstromeshError("agent_not_found", `no agent named ${agent}`);
    }
  };
  serve(memoryRoutes.show, async (c) => {
    const { agent, session } = c.req.valid("param");
    const { limit, principal } = c.req.valid("query");
    const turns = await deps.memory.history(keyOf(agent, session, principal, c.get("principal")), limit);
    known(agent, turns.length > 0);
    return c.json({ agent, session_id: session, history: turns.map(turnToWire), limit }, 200);
  });
  serve(memoryRoutes.clear, async (c) => {
    const { agent, session } = c.req.valid("param");
    const { principal } = c.req.valid("query");
    const cleared = await deps.memory.clear(keyOf(agent, session, principal, c.get("principal")));
    known(agent, cleared > 0);
    return c.json({ agent, session_id: session, cleared }, 200);
  });
}

function keyOf(agent: string, sessionId: string, wanted: string | undefined, caller: Principal): ConversationKey {
  const principalId = wanted ?? caller.id;
  if (principalId !== caller.id && !hasScope(caller, "admin")) {
    throw new AstromeshError("forbidden", "another's session wants the scope admin");
  }
  return { agent, principalId, sessionId };
}
