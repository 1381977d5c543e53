import { sql } from "kysely";
import type { CreateTableBuilder, Kysely, Migration } from "kysely";

import type { DialectName } from "../statement.ts";

type Table = CreateTableBuilder<string, string>;

/**
 * Text sorts and compares byte by byte in both databases: SQLite does so by itself, PostgreSQL with collation "C".
 * So `order by run_id` and paging by id mean the same everywhere.
 */
function columns(dialect: DialectName) {
  const textType = dialect === "sqlite" ? sql`text` : sql`text collate "C"`;
  return {
    text: (table: Table, ...names: string[]): Table =>
      names.reduce((built, name) => built.addColumn(name, textType, (column) => column.notNull()), table),
    maybeText: (table: Table, ...names: string[]): Table =>
      names.reduce((built, name) => built.addColumn(name, textType), table),
    int: (table: Table, ...names: string[]): Table =>
      names.reduce((built, name) => built.addColumn(name, "bigint", (column) => column.notNull()), table),
    maybeInt: (table: Table, ...names: string[]): Table =>
      names.reduce((built, name) => built.addColumn(name, "bigint"), table),
    real: (table: Table, ...names: string[]): Table =>
      names.reduce((built, name) => built.addColumn(name, "double precision", (column) => column.notNull()), table),
    maybeReal: (table: Table, ...names: string[]): Table =>
      names.reduce((built, name) => built.addColumn(name, "double precision"), table),
    /**
     * On SQLite a table that is its primary key's tree, instead of a tree of rows and another of keys: a step of a
     * run changes half as many pages of it, and each goes to the disk. Keys grow with time, so rows are appended.
     */
    ordered: (table: Table): Table => (dialect === "sqlite" ? table.modifyEnd(sql`without rowid`) : table),
  };
}

type Columns = ReturnType<typeof columns>;

function ofRun(table: Table): Table {
  return table.addForeignKeyConstraint("run_exists", ["run_id"], "runs", ["run_id"]);
}

async function createRuns(db: Kysely<unknown>, c: Columns): Promise<void> {
  let runs = db.schema.createTable("runs") as Table;
  runs = c.text(runs, "run_id", "agent", "definition_digest", "principal_id", "session_id", "trace_id");
  runs = c.maybeText(runs, "parent_span_id");
  runs = c.text(runs, "engine", "status");
  runs = c.int(runs, "journal_format", "input_tokens", "output_tokens", "lost_input_tokens", "lost_output_tokens");
  runs = c.maybeText(runs, "stop_reason", "model", "provider", "owner_node_id", "wait_reason");
  runs = c.maybeReal(runs, "cost_usd", "lost_cost_usd");
  // Durations are measured on the monotonic clock, which counts fractions of a millisecond.
  runs = c.real(runs, "model_ms", "tool_ms", "worked_ms", "work_limit_ms");
  runs = c.int(runs, "epoch", "attempt", "fruitless_attempts", "depth", "head_seq", "segment", "stream_head");
  runs = c.int(runs, "exclusive", "created_at");
  runs = c.maybeInt(runs, "lease_until", "wake_at", "wait_deadline_at", "cancel_requested_at");
  runs = c.maybeText(runs, "parent_run_id", "parent_position");
  runs = c.maybeInt(runs, "started_at", "ended_at");
  await runs
    .addPrimaryKeyConstraint("runs_key", ["run_id"])
    .addForeignKeyConstraint("definition_exists", ["definition_digest"], "definitions", ["digest"])
    .execute();

  const index = (name: string, ...on: string[]) => db.schema.createIndex(name).on("runs").columns(on);
  // One live run for each session, whatever races.
  await index("runs_session_exclusive", "principal_id", "agent", "session_id")
    .unique()
    .where(sql<boolean>`exclusive = 1 and status in ('queued', 'running', 'waiting')`)
    .execute();
  // `due` and `nextWakeAt`: the few live runs, never the many that have ended. Each begins with the status, though it
  // holds only one: else SQLite's planner would rather take runs_by_status, which knows no times.
  await index("runs_queued", "status", "created_at", "run_id")
    .where(sql<boolean>`status = 'queued'`)
    .execute();
  await index("runs_wake", "status", "wake_at")
    .where(sql<boolean>`status = 'waiting'`)
    .execute();
  await index("runs_wait_deadline", "status", "wait_deadline_at")
    .where(sql<boolean>`status = 'waiting'`)
    .execute();
  await index("runs_lease", "status", "lease_until")
    .where(sql<boolean>`status = 'running'`)
    .execute();
  await index("runs_owner", "owner_node_id")
    .where(sql<boolean>`status = 'running'`)
    .execute();
  // `list`, newest first, and `count`.
  await index("runs_by_status", "status", "run_id").execute();
  await index("runs_by_agent", "agent", "run_id").execute();
  await index("runs_by_principal", "principal_id", "run_id").execute();
  await index("runs_by_session", "session_id", "run_id").execute();
  await index("runs_by_trace", "trace_id").execute();
  await index("runs_by_parent", "parent_run_id")
    .where(sql<boolean>`parent_run_id is not null`)
    .execute();
  // `sweep`.
  await index("runs_ended", "ended_at", "run_id")
    .where(sql<boolean>`ended_at is not null`)
    .execute();
  await index("runs_with_stream", "ended_at")
    .where(sql<boolean>`ended_at is not null and stream_head > 0`)
    .execute();
  await index("runs_by_definition", "definition_digest").execute();
}

async function createPartsOfRuns(db: Kysely<unknown>, c: Columns): Promise<void> {
  const table = (name: string) => db.schema.createTable(name) as Table;

  let texts = c.text(table("run_texts"), "run_id", "input");
  texts = c.maybeText(texts, "response", "output", "error");
  await c.ordered(ofRun(texts)).addPrimaryKeyConstraint("run_texts_key", ["run_id"]).execute();

  // One index, the one that refuses a second record at a place; `seq` comes from the run's row under its guard, and a
  // journal is short enough to be sorted by it when it is read. A second index would cost each append a third more.
  let journal = c.text(table("journal"), "run_id", "position", "phase", "kind");
  journal = c.maybeText(journal, "effect_class", "input_digest", "body", "body_blob");
  journal = c.int(journal, "seq", "segment", "attempt", "at");
  await c
    .ordered(ofRun(journal))
    .addPrimaryKeyConstraint("journal_key", ["run_id", "segment", "position", "phase"])
    .execute();

  let messages = c.text(table("messages"), "run_id", "thread");
  messages = c.maybeText(c.int(messages, "idx"), "body", "body_blob");
  await c.ordered(ofRun(messages)).addPrimaryKeyConstraint("messages_key", ["run_id", "thread", "idx"]).execute();

  await ofRun(c.text(table("blobs"), "run_id", "digest", "body"))
    .addPrimaryKeyConstraint("blobs_key", ["run_id", "digest"])
    .execute();

  const stream = c.int(c.text(table("stream"), "run_id", "events"), "first_offset", "last_offset", "attempt");
  await c.ordered(ofRun(stream)).addPrimaryKeyConstraint("stream_key", ["run_id", "first_offset"]).execute();

  const signals = c.text(table("signals"), "run_id", "signal_id", "name", "payload", "sender");
  await ofRun(c.int(signals, "at", "consumed"))
    .addPrimaryKeyConstraint("signals_key", ["run_id", "signal_id"])
    .execute();
}

async function createKeys(db: Kysely<unknown>, c: Columns): Promise<void> {
  const table = (name: string) => db.schema.createTable(name) as Table;

  const idempotency = c.text(table("idempotency"), "principal_id", "key", "body_digest", "run_id");
  await c.int(idempotency, "expires_at").addPrimaryKeyConstraint("idempotency_key", ["principal_id", "key"]).execute();
  await db.schema.createIndex("idempotency_expiry").on("idempotency").column("expires_at").execute();

  const effects = c.text(table("effect_keys"), "tool", "principal_id", "key", "run_id", "position");
  await c
    .int(c.maybeText(effects, "result"), "expires_at")
    .addPrimaryKeyConstraint("effect_keys_key", ["tool", "principal_id", "key"])
    .execute();
  await db.schema.createIndex("effect_keys_expiry").on("effect_keys").column("expires_at").execute();
}

async function createTheRest(db: Kysely<unknown>, c: Columns): Promise<void> {
  const table = (name: string) => db.schema.createTable(name) as Table;

  const turns = c.text(table("conversations"), "agent", "principal_id", "session_id", "run_id", "messages");
  await c
    .int(turns, "at")
    .addPrimaryKeyConstraint("conversations_key", ["agent", "principal_id", "session_id", "run_id"])
    .execute();
  await db.schema
    .createIndex("conversations_by_time")
    .on("conversations")
    .columns(["agent", "principal_id", "session_id", "at", "run_id"])
    .execute();

  await c
    .int(c.text(table("agents"), "name", "document"), "updated_at")
    .addPrimaryKeyConstraint("agents_key", ["name"])
    .execute();

  await c
    .maybeInt(c.text(table("cache"), "scope", "key", "value"), "expires_at")
    .addPrimaryKeyConstraint("cache_key", ["scope", "key"])
    .execute();
  await db.schema
    .createIndex("cache_expiry")
    .on("cache")
    .column("expires_at")
    .where(sql<boolean>`expires_at is not null`)
    .execute();
}

/** The whole first schema. */
export function first(dialect: DialectName): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const c = columns(dialect);
      await c
        .text(db.schema.createTable("meta"), "key", "value")
        .addPrimaryKeyConstraint("meta_key", ["key"])
        .execute();
      const definitions = c.text(db.schema.createTable("definitions"), "digest", "definition");
      await c.int(definitions, "used_at").addPrimaryKeyConstraint("definitions_key", ["digest"]).execute();
      await createRuns(db, c);
      await createPartsOfRuns(db, c);
      await createKeys(db, c);
      await createTheRest(db, c);
    },
  };
}
