import type { AgentDefinition, Json, Message, PinnedDefinition, Run, RunStatus, StreamEvent } from "../core/index.ts";
import type { JournalRecord, RunFilter, RunSignal } from "../core/ports/index.ts";
import { readKept } from "./blobs.ts";
import { toRun } from "./rows.ts";
import { journalStatement, listStatement, prepareRunReads, STREAM_PAGE_ROWS } from "./run-read-statements.ts";
import type { JournalRow } from "./run-read-statements.ts";
import { all, first } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

/** Every read of the run store. */
export function createRunReads(db: Builder) {
  const statements = prepareRunReads(db);

  return {
    ...createPartReads(db, statements),

    *get(runId: string): Unit<Run | null> {
      const row = yield* first(statements.run({ runId }));
      return row === undefined ? null : toRun(row);
    },

    *definition(digest: string): Unit<PinnedDefinition | null> {
      const row = yield* first(statements.definition({ digest }));
      return row === undefined ? null : { digest, definition: JSON.parse(row.definition) as AgentDefinition };
    },

    *list(filter: RunFilter): Unit<readonly Run[]> {
      const rows = yield* all(listStatement(db, filter));
      return rows.map(toRun);
    },

    *count(): Unit<Record<RunStatus, number>> {
      const counts: Record<RunStatus, number> = {
        queued: 0,
        running: 0,
        waiting: 0,
        completed: 0,
        failed: 0,
        cancelled: 0,
      };
      for (const row of yield* all(statements.count({}))) counts[row.status] = row.runs;
      return counts;
    },

    *due(now: number, limit: number): Unit<readonly Run[]> {
      const rows = yield* all(statements.due({ now, limit }));
      return rows.map(toRun);
    },

    *nextWakeAt(): Unit<number | null> {
      const row = yield* first(statements.nextWakeAt({}));
      const times = [row?.wake_at, row?.wait_deadline_at].filter((time) => typeof time === "number");
      return times.length === 0 ? null : Math.min(...times);
    },
  };
}

type Statements = ReturnType<typeof prepareRunReads>;

/** What hangs on a run: its journal, threads, stream and signals. */
function createPartReads(db: Builder, statements: Statements) {
  return {
    *journal(runId: string, segment?: number): Unit<readonly JournalRecord[]> {
      const rows = yield* all(journalStatement(db, runId, segment));
      return rows.map(toJournalRecord);
    },

    *thread(runId: string, thread: string, from: number, to: number): Unit<readonly Message[]> {
      const rows = yield* all(statements.thread({ runId, thread, from, to }));
      return rows.map((row) => readKept(row) as Message);
    },

    *readStream(runId: string, afterOffset: number, limit: number): Unit<readonly StreamEvent[]> {
      const events: StreamEvent[] = [];
      let after = afterOffset;
      for (;;) {
        const rows = yield* all(statements.stream({ runId, after }));
        for (const row of rows) {
          const batch = JSON.parse(row.events) as StreamEvent[];
          events.push(...batch.filter((event) => event.offset > after));
          after = row.last_offset;
          if (events.length >= limit) return events.slice(0, limit);
        }
        if (rows.length < STREAM_PAGE_ROWS) return events;
      }
    },

    *streamHead(runId: string): Unit<number> {
      const row = yield* first(statements.streamHead({ runId }));
      return row?.stream_head ?? 0;
    },

    *signals(runId: string): Unit<readonly RunSignal[]> {
      const rows = yield* all(statements.signals({ runId }));
      return rows.map((row) => ({
        signalId: row.signal_id,
        runId,
        name: row.name,
        payload: JSON.parse(row.payload),
        sender: row.sender,
        at: row.at,
      }));
    },
  };
}

function toJournalRecord(row: JournalRow): JournalRecord {
  return {
    seq: row.seq,
    segment: row.segment,
    position: row.position,
    phase: row.phase,
    kind: row.kind,
    effectClass: row.effect_class,
    inputDigest: row.input_digest,
    payload: readKept(row) as Json,
    attempt: row.attempt,
    at: row.at,
  };
}
