import { sql } from "kysely";

import type { RunStatus } from "../core/index.ts";
import type { JournalRecord, RunFilter } from "../core/ports/index.ts";
import { RUN_ROW_COLUMNS } from "./rows.ts";
import type { RunRow } from "./rows.ts";
import { once, prepare, slots } from "./statement.ts";
import type { Builder } from "./statement.ts";

/** Batches of a stream that one query reads. */
export const STREAM_PAGE_ROWS = 64;

/** The statement that reads one whole run. */
export function selectRun(db: Builder) {
  const run = slots<{ runId: string }>("runId");
  return prepare(run, selectRuns(db).where("runs.run_id", "=", run.runId));
}

function selectRuns(db: Builder) {
  return db
    .selectFrom("runs")
    .innerJoin("run_texts", "run_texts.run_id", "runs.run_id")
    .select(RUN_ROW_COLUMNS)
    .$castTo<RunRow>();
}

/** The prepared statements behind run-reads.ts. */
export function prepareRunReads(db: Builder) {
  const none = slots<object>();
  const run = slots<{ runId: string }>("runId");
  const definition = slots<{ digest: string }>("digest");

  return {
    ...preparePartReads(db),
    run: selectRun(db),
    due: prepareDue(db),
    definition: prepare(
      definition,
      db.selectFrom("definitions").select("definition").where("digest", "=", definition.digest),
    ),
    count: prepare(
      none,
      db
        .selectFrom("runs")
        .select((eb) => ["status", eb.fn.countAll<number>().as("runs")])
        .groupBy("status"),
    ),
    // Two scalars, so that each is the first entry of its own partial index.
    nextWakeAt: prepare(
      none,
      db.selectNoFrom((eb) => [
        eb
          .selectFrom("runs")
          .select((arm) => arm.fn.min("wake_at").as("at"))
          .where("status", "=", sql.lit("waiting"))
          .as("wake_at"),
        eb
          .selectFrom("runs")
          .select((arm) => arm.fn.min("wait_deadline_at").as("at"))
          .where("status", "=", sql.lit("waiting"))
          .as("wait_deadline_at"),
      ]),
    ),
    streamHead: prepare(run, db.selectFrom("runs").select("stream_head").where("run_id", "=", run.runId)),
  };
}

function preparePartReads(db: Builder) {
  const run = slots<{ runId: string }>("runId");
  const thread = slots<{ runId: string; thread: string; from: number; to: number }>("runId", "thread", "from", "to");
  const stream = slots<{ runId: string; after: number }>("runId", "after");

  return {
    thread: prepare(
      thread,
      db
        .selectFrom("messages")
        .leftJoin("blobs", (join) =>
          join.onRef("blobs.run_id", "=", "messages.run_id").onRef("blobs.digest", "=", "messages.body_blob"),
        )
        .select(["messages.body", "blobs.body as blob"])
        .where("messages.run_id", "=", thread.runId)
        .where("messages.thread", "=", thread.thread)
        .where("messages.idx", ">=", thread.from)
        .where("messages.idx", "<", thread.to)
        .orderBy("messages.idx"),
    ),
    stream: prepare(
      stream,
      db
        .selectFrom("stream")
        .select(["last_offset", "events"])
        .where("run_id", "=", stream.runId)
        .where("last_offset", ">", stream.after)
        .orderBy("first_offset")
        .limit(STREAM_PAGE_ROWS),
    ),
    signals: prepare(
      run,
      db
        .selectFrom("signals")
        .select(["signal_id", "name", "payload", "sender", "at"])
        .where("run_id", "=", run.runId)
        .where("consumed", "=", 0)
        .orderBy("at")
        .orderBy("signal_id"),
    ),
  };
}

/**
 * Each reason to be due is a range of its own small index; together they would be a scan. The statuses stand in the
 * SQL itself, because a partial index is only used for a status that the planner can see.
 */
function prepareDue(db: Builder) {
  const place = slots<{ now: number; limit: number }>("now", "limit");
  const arm = (status: RunStatus, column: "created_at" | "wake_at" | "wait_deadline_at" | "lease_until") =>
    db
      .selectFrom(
        db
          .selectFrom("runs")
          .select(["run_id", "created_at"])
          .where("status", "=", sql.lit<RunStatus>(status))
          .$if(status !== "queued", (query) => query.where(column, "<=", place.now))
          .orderBy("created_at")
          .orderBy("run_id")
          .limit(place.limit)
          .as("arm"),
      )
      .select("run_id");
  const ids = arm("queued", "created_at")
    .union(arm("waiting", "wake_at"))
    .union(arm("waiting", "wait_deadline_at"))
    .union(arm("running", "lease_until"));
  return prepare(
    place,
    selectRuns(db).where("runs.run_id", "in", ids).orderBy("runs.created_at").orderBy("runs.run_id").limit(place.limit),
  );
}

/** Runs by filter, newest first. */
export function listStatement(db: Builder, filter: RunFilter) {
  const { agent, status, sessionId, principalId, parentRunId, traceId, before } = filter;
  const query = selectRuns(db)
    .$if(agent !== undefined, (query) => query.where("runs.agent", "=", agent ?? ""))
    .$if(status !== undefined, (query) => query.where("runs.status", "=", status ?? "queued"))
    .$if(sessionId !== undefined, (query) => query.where("runs.session_id", "=", sessionId ?? ""))
    .$if(principalId !== undefined, (query) => query.where("runs.principal_id", "=", principalId ?? ""))
    .$if(parentRunId !== undefined, (query) => query.where("runs.parent_run_id", "=", parentRunId ?? ""))
    .$if(traceId !== undefined, (query) => query.where("runs.trace_id", "=", traceId ?? ""))
    .$if(before !== undefined, (query) => query.where("runs.run_id", "<", before ?? ""))
    .orderBy("runs.run_id", "desc")
    .limit(filter.limit);
  return once(query);
}

/** The journal of a run, or of one of its segments. */
export function journalStatement(db: Builder, runId: string, segment: number | undefined) {
  const query = db
    .selectFrom("journal")
    .leftJoin("blobs", (join) =>
      join.onRef("blobs.run_id", "=", "journal.run_id").onRef("blobs.digest", "=", "journal.body_blob"),
    )
    .selectAll("journal")
    .select("blobs.body as blob")
    .where("journal.run_id", "=", runId)
    .$if(segment !== undefined, (query) => query.where("journal.segment", "=", segment ?? 0))
    .orderBy("journal.seq")
    .$castTo<JournalRow>();
  return once(query);
}

/** A row of the journal with its blob. */
export type JournalRow = Pick<JournalRecord, "seq" | "segment" | "position" | "phase" | "kind" | "attempt" | "at"> & {
  readonly effect_class: JournalRecord["effectClass"];
  readonly input_digest: string | null;
  readonly body: string | null;
  readonly blob: string | null;
};
