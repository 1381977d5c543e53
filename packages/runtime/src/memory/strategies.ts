import type { ConversationalMemory } from "../core/index.ts";
import type { ConversationTurn } from "../core/ports/index.ts";

/** How many tokens a text takes. */
export type TokenEstimate = (text: string) => number;

/**
 * Four characters to a token: the usual rule of thumb for English with byte-pair encodings
 * (https://help.openai.com/en/articles/4936856). Other languages and code take more tokens than it says, so a budget
 * should leave room.
 */
export const fourCharactersPerToken: TokenEstimate = (text) => Math.ceil(text.length / 4);

/** The most turns that any strategy reads from the store. */
const MAX_RECALLED_TURNS = 500;

/** Turns to read for a strategy. */
export function turnsToRead(memory: ConversationalMemory): number {
  return memory.strategy === "token_budget" ? MAX_RECALLED_TURNS : Math.min(memory.maxTurns, MAX_RECALLED_TURNS);
}

/**
 * What of the newest turns (oldest first) goes into a prompt. `sliding_window` takes all that were read;
 * `token_budget` takes whole turns from the newest backwards while they fit; `summary` works as `sliding_window` in
 * this release.
 */
export function selectTurns(
  memory: ConversationalMemory,
  turns: readonly ConversationTurn[],
  estimate: TokenEstimate,
): readonly ConversationTurn[] {
  if (memory.strategy !== "token_budget") return turns;
  let left = memory.tokenBudget;
  let from = turns.length;
  while (from > 0) {
    const turn = turns[from - 1];
    left -= turn === undefined ? 0 : turnTokens(turn, estimate);
    if (left < 0) break;
    from -= 1;
  }
  return turns.slice(from);
}

function turnTokens(turn: ConversationTurn, estimate: TokenEstimate): number {
  return turn.messages.reduce((sum, message) => {
    const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
    const said = estimate(message.text);
    return sum + said + calls.reduce((part, call) => part + estimate(call.name + JSON.stringify(call.arguments)), 0);
  }, 0);
}
