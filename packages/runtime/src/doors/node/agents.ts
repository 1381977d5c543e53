import { z } from "@hono/zod-openapi";

import { AstromeshError, hasScope } from "../../core/index.ts";
import type { AgentAdmin } from "../../core/ports/index.ts";
import { catalogToPeer, loadedAgentToPeer, peerAgentName, peerAgentPut } from "../../wire/index.ts";
import type { PeerCaller } from "../peer-gate.ts";
import { principalOf } from "./context.ts";
import type { NodeDoorContext } from "./context.ts";

/** Agents: what this node has loaded, and changes that reached another node first. */
export function serveAgents({ deps, serve }: NodeDoorContext): void {
  const admin = (caller: PeerCaller): AgentAdmin => {
    if (deps.agents === null) throw new AstromeshError("no_service", "this node runs no agents");
    if (!hasScope(principalOf(caller), "admin")) {
      throw new AstromeshError("forbidden", "changing agents wants the scope admin");
    }
    return deps.agents;
  };
  serve({ path: "/v1/peer/agents/catalog", body: z.object({}), whileDraining: true }, () =>
    catalogToPeer(deps.catalog.current()),
  );
  serve({ path: "/v1/peer/agents/put", body: peerAgentPut, whileDraining: false }, async ({ body, caller }) =>
    loadedAgentToPeer(await admin(caller).put(body.document, { create: body.create })),
  );
  serve({ path: "/v1/peer/agents/remove", body: peerAgentName, whileDraining: false }, async ({ body, caller }) => {
    await admin(caller).remove(body.name);
    return body;
  });
}
