import type { AgentDefinition } from "../agent.ts";
import type { Message } from "../message.ts";
import type { ConversationKey, ConversationTurn } from "./conversation-store.ts";

/** A session's memory under the agent's strategy (sliding_window, token_budget, ..). */
export interface SessionMemory {
  /** What of the session goes into the next prompt, oldest first; no tool call in it is left without its result. */
  recall(definition: AgentDefinition, key: ConversationKey): Promise<readonly Message[]>;
  /**
   * What the session keeps of a turn; null when the agent has no conversational memory. The run writes it down itself
   * (see RunChange.turns), so that a session never knows an answer that its run has lost.
   */
  kept(definition: AgentDefinition, turn: ConversationTurn): ConversationTurn | null;
  /** The turns of a session as they were kept, newest last. */
  history(key: ConversationKey, limit: number): Promise<readonly ConversationTurn[]>;
  clear(key: ConversationKey): Promise<number>;
}
