import { AstromeshError } from "../core/index.ts";
import type { Clock } from "../core/index.ts";
import type { AgentStore, CacheStore, ConversationStore, Retention, RunStore, Store } from "../core/ports/index.ts";
import { createReads } from "./database.ts";
import type { Database } from "./database.ts";
import type { Builder } from "./statement.ts";
import type { Dropped } from "./sweep.ts";

/** The repositories of a database: the same on SQLite and PostgreSQL. */
export function createRepositories(
  db: Builder,
  database: Database,
  clock: Clock,
): Pick<Store, "runs" | "conversations" | "agents" | "cache"> {
  const reads = createReads(db);
  const createRun = createCreate(database);

  const runs: RunStore = {
    create: (create) => createRun(create),
    get: (runId) => database.read(reads.get(runId)),
    definition: (digest) => database.read(reads.definition(digest)),
    list: (filter) => database.read(reads.list(filter)),
    count: () => database.read(reads.count()),
    claim: (take) => database.write("claim", take),
    renewLeases: (ownerNodeId, leaseMs, now) => database.write("renewLeases", ownerNodeId, now + leaseMs),
    due: (now, limit) => database.read(reads.due(now, limit)),
    nextWakeAt: () => database.read(reads.nextWakeAt()),
    append: (guard, change) => database.write("append", guard, change),
    journal: (runId, segment) => database.read(reads.journal(runId, segment)),
    thread: (runId, thread, from, to) => database.read(reads.thread(runId, thread, from, to)),
    appendStream: (guard, events) => database.write("appendStream", guard, events),
    readStream: (runId, afterOffset, limit) => database.read(reads.readStream(runId, afterOffset, limit)),
    streamHead: (runId) => database.read(reads.streamHead(runId)),
    signal: (signal) => database.write("signal", signal),
    signals: (runId) => database.read(reads.signals(runId)),
    requestCancel: (runId, now) => database.write("requestCancel", runId, now),
    reserveEffectKey: (entry) => database.write("reserveEffectKey", { ...entry, now: clock.now() }),
    sweep: (retention, now) => sweep(database, retention, now),
  };

  const conversations: ConversationStore = {
    recall: (key, maxTurns) => database.read(reads.recall(key, maxTurns)),
    remember: (key, turn) => database.write("remember", key, turn),
    clear: (key) => database.write("clearConversation", key),
  };

  const agents: AgentStore = {
    list: () => database.read(reads.agents()),
    put: (agent) => database.write("putAgent", agent),
    remove: (name) => database.write("removeAgent", name),
  };

  const cache: CacheStore = {
    get: (scope, key, now) => database.read(reads.cached(scope, key, now)),
    set: (scope, key, value, expiresAt) => database.write("setCache", scope, key, value, expiresAt),
    remove: (scope, key) => database.write("removeCache", scope, key, clock.now()),
  };

  return { runs, conversations, agents, cache };
}

/** How long a definition is taken to be where it was written: far less than the sweep leaves one that no run uses. */
const DEFINITION_KNOWN_MS = 30 * 60_000;
/** Definitions remembered as written; beyond it all are written once more. */
const DEFINITIONS_MAX = 1_000;

/** Creates runs, without sending a definition again that was written a short while ago: it is most of a create. */
function createCreate(database: Database): RunStore["create"] {
  const writtenAt = new Map<string, number>();
  return async (create) => {
    const { definition: pinned, ...rest } = create;
    const { digest } = pinned;
    const now = create.run.createdAt;
    const known = writtenAt.get(digest);
    if (known !== undefined && Math.abs(now - known) < DEFINITION_KNOWN_MS) {
      const outcome = await database.write("createRun", { ...rest, definition: { digest, definition: null } });
      if (outcome.kind !== "definition_wanted") return outcome;
    }
    const definition = { digest, definition: JSON.stringify(pinned.definition) };
    const outcome = await database.write("createRun", { ...rest, definition });
    if (outcome.kind === "definition_wanted") throw new AstromeshError("internal", "A definition was not written.");
    if (writtenAt.size >= DEFINITIONS_MAX) writtenAt.clear();
    if (outcome.kind === "created") writtenAt.set(digest, now);
    return outcome;
  };
}

/** Many small transactions instead of one long one, so that the steps of runs get in between. */
async function sweep(database: Database, retention: Retention, now: number): Promise<Dropped> {
  const total: Record<string, number> = {};
  const add = (dropped: Dropped): boolean => {
    for (const [table, rows] of Object.entries(dropped)) total[table] = (total[table] ?? 0) + rows;
    return Object.keys(dropped).length > 0;
  };
  while (add(await database.write("sweepRuns", retention, now)));
  while (add(await database.write("sweepStreams", now - retention.streamsMs)));
  add(await database.write("sweepExpired", now));
  return total;
}
