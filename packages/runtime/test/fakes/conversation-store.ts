import type { ConversationKey, ConversationStore, ConversationTurn } from "../../src/core/ports/index.ts";

/** A conversation store in memory. */
export function memoryConversations(): ConversationStore {
  const sessions = new Map<string, ConversationTurn[]>();
  const id = (key: ConversationKey): string => JSON.stringify([key.agent, key.principalId, key.sessionId]);
  return {
    recall: async (key, maxTurns) => (maxTurns <= 0 ? [] : (sessions.get(id(key)) ?? []).slice(-maxTurns)),
    remember: async (key, turn) => {
      const turns = sessions.get(id(key)) ?? [];
      if (!turns.some((kept) => kept.runId === turn.runId)) turns.push(turn);
      sessions.set(id(key), turns);
    },
    clear: async (key) => {
      const count = sessions.get(id(key))?.length ?? 0;
      sessions.delete(id(key));
      return count;
    },
  };
}
