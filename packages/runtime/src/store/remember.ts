import type { ConversationKey, ConversationTurn } from "../core/ports/index.ts";
import type { ConversationsTable } from "./schema.ts";
import { changes, prepare, slots } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

/** Keeps a session's turns, each run's once: by themselves, or in a step of the run. */
export function createRemember(db: Builder) {
  const row = slots<ConversationsTable>("agent", "principal_id", "session_id", "run_id", "at", "messages");
  const insert = prepare(
    row,
    db
      .insertInto("conversations")
      .values(row)
      .onConflict((conflict) => conflict.doNothing()),
  );

  return function* remember(key: ConversationKey, turn: ConversationTurn): Unit<void> {
    yield* changes(
      insert({
        agent: key.agent,
        principal_id: key.principalId,
        session_id: key.sessionId,
        run_id: turn.runId,
        at: turn.at,
        messages: JSON.stringify(turn.messages),
      }),
    );
  };
}
