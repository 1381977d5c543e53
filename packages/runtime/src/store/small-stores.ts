import type { Json, JsonObject, Message } from "../core/index.ts";
import type { ConversationKey, ConversationTurn, StoredAgent } from "../core/ports/index.ts";
import { createRemember } from "./remember.ts";
import type { AgentsTable, CacheTable } from "./schema.ts";
import { all, changes, first, prepare, slots } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

/** The writes behind the conversation, agent and cache stores. */
export function createSmallWrites(db: Builder) {
  const statements = prepareSmallWrites(db);
  return {
    remember: createRemember(db),

    *clearConversation(key: ConversationKey): Unit<number> {
      return yield* changes(statements.clearConversation(key));
    },

    *putAgent(agent: StoredAgent): Unit<void> {
      yield* changes(
        statements.putAgent({
          name: agent.name,
          document: JSON.stringify(agent.document),
          updated_at: agent.updatedAt,
        }),
      );
    },

    *removeAgent(name: string): Unit<boolean> {
      return (yield* changes(statements.removeAgent({ name }))) > 0;
    },

    *setCache(scope: string, key: string, value: Json, expiresAt: number | null): Unit<void> {
      yield* changes(statements.setCache({ scope, key, value: JSON.stringify(value), expires_at: expiresAt }));
    },

    *removeCache(scope: string, key: string, now: number): Unit<boolean> {
      const row = yield* first(statements.removeCache({ scope, key }));
      return row !== undefined && isAlive(row.expires_at, now);
    },

    /** Shows that the database takes writes. */
    *probe(now: number): Unit<void> {
      yield* changes(statements.probe({ now: String(now) }));
    },
  };
}

/** The reads behind the conversation, agent and cache stores. */
export function createSmallReads(db: Builder) {
  const statements = prepareSmallReads(db);
  return {
    *recall(key: ConversationKey, maxTurns: number): Unit<readonly ConversationTurn[]> {
      const rows = yield* all(statements.recall({ ...key, maxTurns }));
      return rows
        .map((row) => ({ runId: row.run_id, at: row.at, messages: JSON.parse(row.messages) as Message[] }))
        .toReversed();
    },

    *agents(): Unit<readonly StoredAgent[]> {
      const rows = yield* all(statements.agents({}));
      return rows.map((row) => ({
        name: row.name,
        document: JSON.parse(row.document) as JsonObject,
        updatedAt: row.updated_at,
      }));
    },

    *cached(scope: string, key: string, now: number): Unit<Json | undefined> {
      const row = yield* first(statements.cached({ scope, key }));
      return row === undefined || !isAlive(row.expires_at, now) ? undefined : (JSON.parse(row.value) as Json);
    },
  };
}

function isAlive(expiresAt: number | null, now: number): boolean {
  return expiresAt === null || expiresAt > now;
}

function prepareSmallWrites(db: Builder) {
  const session = slots<ConversationKey>("agent", "principalId", "sessionId");
  const agent = slots<AgentsTable>("name", "document", "updated_at");
  const named = slots<{ name: string }>("name");
  const entry = slots<CacheTable>("scope", "key", "value", "expires_at");
  const cached = slots<{ scope: string; key: string }>("scope", "key");
  const probe = slots<{ now: string }>("now");

  return {
    clearConversation: prepare(
      session,
      db
        .deleteFrom("conversations")
        .where("agent", "=", session.agent)
        .where("principal_id", "=", session.principalId)
        .where("session_id", "=", session.sessionId),
    ),
    putAgent: prepare(
      agent,
      db
        .insertInto("agents")
        .values(agent)
        .onConflict((conflict) =>
          conflict.column("name").doUpdateSet({ document: agent.document, updated_at: agent.updated_at }),
        ),
    ),
    removeAgent: prepare(named, db.deleteFrom("agents").where("name", "=", named.name)),
    setCache: prepare(
      entry,
      db
        .insertInto("cache")
        .values(entry)
        .onConflict((conflict) =>
          conflict.columns(["scope", "key"]).doUpdateSet({ value: entry.value, expires_at: entry.expires_at }),
        ),
    ),
    removeCache: prepare(
      cached,
      db.deleteFrom("cache").where("scope", "=", cached.scope).where("key", "=", cached.key).returning("expires_at"),
    ),
    probe: prepare(
      probe,
      db
        .insertInto("meta")
        .values({ key: "probed_at", value: probe.now })
        .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: probe.now })),
    ),
  };
}

function prepareSmallReads(db: Builder) {
  const session = slots<ConversationKey & { maxTurns: number }>("agent", "principalId", "sessionId", "maxTurns");
  const cached = slots<{ scope: string; key: string }>("scope", "key");
  return {
    recall: prepare(
      session,
      db
        .selectFrom("conversations")
        .select(["run_id", "at", "messages"])
        .where("agent", "=", session.agent)
        .where("principal_id", "=", session.principalId)
        .where("session_id", "=", session.sessionId)
        .orderBy("at", "desc")
        .orderBy("run_id", "desc")
        .limit(session.maxTurns),
    ),
    agents: prepare({}, db.selectFrom("agents").selectAll().orderBy("name")),
    cached: prepare(
      cached,
      db
        .selectFrom("cache")
        .select(["value", "expires_at"])
        .where("scope", "=", cached.scope)
        .where("key", "=", cached.key),
    ),
  };
}
