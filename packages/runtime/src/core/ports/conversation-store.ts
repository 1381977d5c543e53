import type { Message } from "../message.ts";

/** Whose conversation it is. */
export interface ConversationKey {
  readonly agent: string;
  readonly principalId: string;
  readonly sessionId: string;
}

/** One exchange of a session: the user's message, the answer, and the tool calls between, if they are kept. */
export interface ConversationTurn {
  readonly runId: string;
  readonly at: number;
  readonly messages: readonly Message[];
}

/**
 * A session's memory of what was said.
 *
 * Contract. `remember` is idempotent by run id. `recall` returns the newest turns, oldest of them first. Keys never
 * share a turn, whatever characters they hold.
 */
export interface ConversationStore {
  recall(key: ConversationKey, maxTurns: number): Promise<readonly ConversationTurn[]>;
  remember(key: ConversationKey, turn: ConversationTurn): Promise<void>;
  /** Forgets the session; returns the number of turns dropped. */
  clear(key: ConversationKey): Promise<number>;
}
