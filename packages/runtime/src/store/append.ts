import { AstromeshError } from "../core/index.ts";
import type { StreamEvent } from "../core/index.ts";
import type { EffectKey, NewRecord, RunChange, RunGuard, ThreadMessage } from "../core/ports/index.ts";
import { createBlobWriter } from "./blobs.ts";
import type { KeptJson } from "./blobs.ts";
import { createRemember } from "./remember.ts";
import { toRunColumns, toTextColumns } from "./rows.ts";
import type { RunsValues } from "./rows.ts";
import type { JournalTable, MessagesTable, StreamTable } from "./schema.ts";
import { all, byColumns, changes, first, prepare, slots } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

interface GuardSlots {
  readonly guardRun: string;
  readonly guardOwner: string;
  readonly guardEpoch: number;
}

interface Advance extends GuardSlots, Record<string, unknown> {
  readonly added: number;
}

/**
 * The writes of a run's owner.
 *
 * Invariants.
 * A1: the first statement of each changes the run's row under its guard. It locks the row, so nothing that reads the
 *     row's state afterwards in the same transaction is overtaken (on SQLite there is one writer anyway).
 * A2: a run that parks is looked at for signals after A1; whoever sends one locks the same row before. So either the
 *     parking step sees the signal, or the signal sees a waiting run: no wake-up is lost between them.
 */
export function createAppends(db: Builder) {
  const statements = prepareAppends(db);
  const keepJson = createBlobWriter(db);
  const remember = createRemember(db);

  /** The guarded change of the run's row (A1). */
  const advance = ({ runId, ownerNodeId, epoch }: RunGuard, added: number, columns: RunsValues) => {
    const places: Advance = { guardRun: runId, guardOwner: ownerNodeId, guardEpoch: epoch, added };
    return statements.advance(Object.keys(columns))(Object.assign(places, columns));
  };

  function* appendRecords(guard: RunGuard, records: readonly NewRecord[], head: number): Unit<void> {
    let seq = head - records.length;
    for (const record of records) {
      seq += 1;
      const kept = yield* keepJson(guard.runId, record.payload);
      yield* changes(statements.insertRecord(toJournalRow(guard.runId, seq, record, kept)));
    }
  }

  function* appendMessages(guard: RunGuard, messages: readonly ThreadMessage[]): Unit<void> {
    for (const { thread, index, message } of messages) {
      const kept = yield* keepJson(guard.runId, message);
      yield* changes(statements.putMessage({ run_id: guard.runId, thread, idx: index, ...kept }));
    }
  }

  /** A parked run that has something to do already becomes queued (A2). */
  function* wakeIfCalled(guard: RunGuard, names: readonly string[], cancelRequested: boolean): Unit<void> {
    const waiting = yield* all(statements.waitingSignals({ runId: guard.runId }));
    if (!cancelRequested && !waiting.some((signal) => names.includes(signal.name))) return;
    yield* changes(statements.queue({ runId: guard.runId }));
  }

  return {
    *append(guard: RunGuard, change: RunChange): Unit<number> {
      const records = change.records ?? [];
      const patch = change.patch ?? {};
      const leaves = patch.status !== undefined && patch.status !== "running";
      const columns = toRunColumns(patch);
      if (leaves) Object.assign(columns, { owner_node_id: null, lease_until: null });
      setStreamHead(columns, change.stream ?? []);
      const run = yield* first(advance(guard, records.length, columns));
      if (run === undefined) throw staleEpoch(guard);

      yield* appendRecords(guard, records, run.head_seq);
      yield* appendMessages(guard, change.messages ?? []);
      const texts = toTextColumns(patch);
      const textColumns = Object.keys(texts);
      if (textColumns.length > 0) {
        yield* changes(statements.setTexts(textColumns)({ guardRun: guard.runId, ...texts }));
      }
      for (const { key, turn } of change.turns ?? []) yield* remember(key, turn);
      for (const signalId of change.consumeSignals ?? []) {
        yield* changes(statements.consume({ runId: guard.runId, signalId }));
      }
      if (change.completeEffectKey !== undefined) {
        const { result, ...key } = change.completeEffectKey;
        yield* changes(statements.completeKey({ ...key, runId: guard.runId, result: JSON.stringify(result) }));
      }
      if (change.stream !== undefined && change.stream.length > 0) {
        yield* changes(statements.insertStream(toStreamRow(guard.runId, change.stream)));
      }
      if (patch.status === "waiting") {
        yield* wakeIfCalled(guard, change.unlessSignalled ?? [], run.cancel_requested_at !== null);
      }
      return run.head_seq;
    },

    *appendStream(guard: RunGuard, events: readonly StreamEvent[]): Unit<void> {
      const columns: RunsValues = {};
      setStreamHead(columns, events);
      const run = yield* first(advance(guard, 0, columns));
      if (run === undefined) throw staleEpoch(guard);
      if (events.length > 0) yield* changes(statements.insertStream(toStreamRow(guard.runId, events)));
    },
  };
}

function staleEpoch(guard: RunGuard): AstromeshError {
  return new AstromeshError(
    "stale_epoch",
    `Run ${guard.runId} is no longer held by node ${guard.ownerNodeId} in epoch ${guard.epoch}.`,
    { details: { runId: guard.runId, epoch: guard.epoch } },
  );
}

function setStreamHead(columns: RunsValues, events: readonly StreamEvent[]): void {
  const last = events.at(-1);
  if (last !== undefined) columns.stream_head = last.offset;
}

function toJournalRow(runId: string, seq: number, record: NewRecord, kept: KeptJson): JournalTable {
  return {
    run_id: runId,
    seq,
    segment: record.segment,
    position: record.position,
    phase: record.phase,
    kind: record.kind,
    effect_class: record.effectClass,
    input_digest: record.inputDigest,
    attempt: record.attempt,
    at: record.at,
    ...kept,
  };
}

function toStreamRow(runId: string, events: readonly StreamEvent[]): StreamTable {
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) throw new AstromeshError("internal", "A stream batch is empty.");
  return {
    run_id: runId,
    first_offset: first.offset,
    last_offset: last.offset,
    attempt: last.attempt,
    events: JSON.stringify(events),
  };
}

const JOURNAL_COLUMNS = [
  "run_id",
  "seq",
  "segment",
  "position",
  "phase",
  "kind",
  "effect_class",
  "input_digest",
  "body",
  "body_blob",
  "attempt",
  "at",
] as const satisfies readonly (keyof JournalTable)[];

function prepareAppends(db: Builder) {
  const record = slots<JournalTable>(...JOURNAL_COLUMNS);
  const message = slots<MessagesTable>("run_id", "thread", "idx", "body", "body_blob");
  const batch = slots<StreamTable>("run_id", "first_offset", "last_offset", "attempt", "events");
  const run = slots<{ runId: string }>("runId");
  const used = slots<{ runId: string; signalId: string }>("runId", "signalId");
  const key = slots<EffectKey & { runId: string; result: string }>("tool", "principalId", "key", "runId", "result");

  return {
    advance: byColumns((columns) => prepareAdvance(db, columns)),
    setTexts: byColumns((columns) => {
      const places = slots<Record<string, unknown> & { guardRun: string }>("guardRun", ...columns);
      const { guardRun, ...values } = places;
      return prepare(places, db.updateTable("run_texts").set(values).where("run_id", "=", guardRun));
    }),
    insertRecord: prepare(record, db.insertInto("journal").values(record)),
    // A message that is said again at its place (a repair, a repeated attempt) replaces the earlier one.
    putMessage: prepare(
      message,
      db
        .insertInto("messages")
        .values(message)
        .onConflict((conflict) =>
          conflict
            .columns(["run_id", "thread", "idx"])
            .doUpdateSet({ body: message.body, body_blob: message.body_blob }),
        ),
    ),
    insertStream: prepare(batch, db.insertInto("stream").values(batch)),
    waitingSignals: prepare(
      run,
      db.selectFrom("signals").select("name").where("run_id", "=", run.runId).where("consumed", "=", 0),
    ),
    consume: prepare(
      used,
      db
        .updateTable("signals")
        .set({ consumed: 1 })
        .where("run_id", "=", used.runId)
        .where("signal_id", "=", used.signalId),
    ),
    queue: prepare(run, db.updateTable("runs").set({ status: "queued" }).where("run_id", "=", run.runId)),
    completeKey: prepare(
      key,
      db
        .updateTable("effect_keys")
        .set({ result: key.result })
        .where("tool", "=", key.tool)
        .where("principal_id", "=", key.principalId)
        .where("key", "=", key.key)
        .where("run_id", "=", key.runId),
    ),
  };
}

/** The guarded change of a run's row: the journal's head and whatever columns the step sets (A1). */
function prepareAdvance(db: Builder, columns: readonly string[]) {
  const places = slots<Advance>("guardRun", "guardOwner", "guardEpoch", "added", ...columns);
  const values = Object.fromEntries(columns.map((column) => [column, places[column]]));
  return prepare(
    places,
    db
      .updateTable("runs")
      .set((eb) => ({ ...values, head_seq: eb("head_seq", "+", places.added) }))
      .where("run_id", "=", places.guardRun)
      .where("owner_node_id", "=", places.guardOwner)
      .where("epoch", "=", places.guardEpoch)
      .returning(["head_seq", "cancel_requested_at"]),
  );
}
