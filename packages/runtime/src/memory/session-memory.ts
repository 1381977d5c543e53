import type { Clock } from "../core/index.ts";
import type { ConversationStore, SessionMemory } from "../core/ports/index.ts";
import { keptMessages } from "./keep.ts";
import { repairToolCalls } from "./repair.ts";
import { fourCharactersPerToken, selectTurns, turnsToRead } from "./strategies.ts";
import type { TokenEstimate } from "./strategies.ts";

/** What session memory needs. */
export interface SessionMemoryDeps {
  readonly store: ConversationStore;
  readonly clock: Clock;
  /** Counts tokens for `token_budget`. @default four characters to a token */
  readonly estimateTokens?: TokenEstimate;
}

/** Session memory over a conversation store, under each agent's strategy. */
export function createSessionMemory(deps: SessionMemoryDeps): SessionMemory {
  const estimate = deps.estimateTokens ?? fourCharactersPerToken;
  return {
    recall: async (definition, key) => {
      const memory = definition.memory.conversational;
      if (memory === null) return [];
      const read = await deps.store.recall(key, turnsToRead(memory));
      const oldest = memory.ttlMs === null ? Number.NEGATIVE_INFINITY : deps.clock.now() - memory.ttlMs;
      const fresh = read.filter((turn) => turn.at >= oldest);
      return selectTurns(memory, fresh, estimate).flatMap((turn) => repairToolCalls(turn.messages));
    },
    kept: (definition, turn) => {
      if (definition.memory.conversational === null) return null;
      const messages = keptMessages(turn.messages);
      return messages.length === 0 ? null : { ...turn, messages };
    },
    history: async (key, limit) => deps.store.recall(key, limit),
    clear: async (key) => deps.store.clear(key),
  };
}
