import { AstromeshError, hasScope } from "../../core/index.ts";
import type { ConversationKey } from "../../core/ports/index.ts";
import { peerClearRequest, peerHistoryRequest } from "../../wire/index.ts";
import type { PeerCaller } from "../peer-gate.ts";
import { principalOf } from "./context.ts";
import type { NodeDoorContext } from "./context.ts";

/** What sessions remember here. */
export function serveMemory({ deps, serve }: NodeDoorContext): void {
  const allowed = (caller: PeerCaller, key: ConversationKey): ConversationKey => {
    const principal = principalOf(caller);
    if (key.principalId === principal.id || hasScope(principal, "admin")) return key;
    throw new AstromeshError("forbidden", "another's session wants the scope admin");
  };
  serve({ path: "/v1/peer/memory/history", body: peerHistoryRequest, whileDraining: true }, async (call) => {
    const { key, limit } = call.body;
    return { turns: await deps.memory.history(allowed(call.caller, key), limit) };
  });
  serve({ path: "/v1/peer/memory/clear", body: peerClearRequest, whileDraining: true }, async ({ body, caller }) => ({
    cleared: await deps.memory.clear(allowed(caller, body.key)),
  }));
}
