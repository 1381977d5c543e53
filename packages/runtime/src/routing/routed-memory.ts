import type { JsonObject, Principal } from "../core/index.ts";
import type { ConversationKey, ConversationTurn, Peer, SessionMemory } from "../core/ports/index.ts";
import { peerCleared, peerHistory } from "../wire/index.ts";
import type { PeerCalls } from "./peer-calls.ts";
import type { RunFinder } from "./run-finder.ts";

/**
 * Session memory over all nodes, for the doors: what a session remembers is where its runs are. Runs themselves recall
 * on their own node only.
 */
export function createRoutedMemory(deps: {
  readonly local: SessionMemory;
  readonly calls: PeerCalls;
  readonly finder: Pick<RunFinder, "stores">;
}): SessionMemory {
  const { local, calls, finder } = deps;
  const askAll = async <T>(
    key: ConversationKey,
    path: string,
    body: JsonObject,
    schema: { parse(value: unknown): T },
  ): Promise<readonly T[]> => {
    // Doors have checked that the caller may see this principal's sessions.
    const principal: Principal = { id: key.principalId, scopes: ["run", "read"] };
    const { signal } = new AbortController();
    const request = { principal, via: [], deadlineMs: 10_000, traceparent: null, signal, lane: "memory" };
    const results = await Promise.all(
      finder
        .stores({ via: [] })
        .map((peer: Peer) => calls.ask(peer, { ...request, path: `/v1/peer/memory/${path}`, body }, schema)),
    );
    const failed = results.find((result) => !result.ok);
    const values = results.flatMap((result) => (result.ok ? [result.value] : []));
    // Better no answer than one that leaves a store out.
    if (failed !== undefined && !failed.ok) throw failed.error;
    return values;
  };
  return {
    recall: (definition, key) => local.recall(definition, key),
    kept: (definition, turn) => local.kept(definition, turn),
    async history(key, limit) {
      const body = { key: { ...key }, limit };
      const [own, others] = await Promise.all([local.history(key, limit), askAll(key, "history", body, peerHistory)]);
      const turns: ConversationTurn[] = [...own, ...others.flatMap((answer) => answer.turns)];
      return turns.toSorted((a, b) => a.at - b.at).slice(-limit);
    },
    async clear(key) {
      const [own, others] = await Promise.all([
        local.clear(key),
        askAll(key, "clear", { key: { ...key } }, peerCleared),
      ]);
      return others.reduce((sum, { cleared }) => sum + cleared, own);
    },
  };
}
