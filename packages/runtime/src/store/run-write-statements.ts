import { sql } from "kysely";

import type { RunStatus } from "../core/index.ts";
import type { EffectKey, RunSignal } from "../core/ports/index.ts";
import { RUNS_COLUMNS } from "./rows.ts";
import type { IdempotencyTable, RunsTable, RunTextsTable } from "./schema.ts";
import { prepare, slots } from "./statement.ts";
import type { Builder } from "./statement.ts";

const LIVE = ["queued", "running", "waiting"] as const;

/** Definitions note their use by the hour, so that not every run rewrites its definition's row. */
const USED_AT_GRAIN_MS = 3_600_000;

/** The prepared statements behind run-writes.ts. */
export function prepareRunWrites(db: Builder) {
  const run = slots<{ runId: string }>("runId");
  return {
    ...prepareCreate(db),
    ...prepareIdempotency(db),
    ...prepareSteering(db),
    ...prepareSignals(db),
    ...prepareEffectKeys(db),
    exists: prepare(run, db.selectFrom("runs").select("run_id").where("run_id", "=", run.runId)),
    queue: prepare(run, db.updateTable("runs").set({ status: "queued" }).where("run_id", "=", run.runId)),
  };
}

function prepareCreate(db: Builder) {
  const definition = slots<{ digest: string; definition: string; usedAt: number }>("digest", "definition", "usedAt");
  const row = slots<RunsTable>(...RUNS_COLUMNS);
  const texts = slots<RunTextsTable>("run_id", "input", "response", "output", "error");
  const session = slots<{ principalId: string; agent: string; sessionId: string }>("principalId", "agent", "sessionId");

  return {
    putDefinition: prepare(
      definition,
      db
        .insertInto("definitions")
        .values({ digest: definition.digest, definition: definition.definition, used_at: definition.usedAt })
        .onConflict((conflict) =>
          conflict
            .column("digest")
            .doUpdateSet({ used_at: definition.usedAt })
            .where("definitions.used_at", "<", sql<number>`excluded.used_at - ${sql.lit(USED_AT_GRAIN_MS)}`),
        ),
    ),
    hasDefinition: prepare(
      { digest: definition.digest },
      db.selectFrom("definitions").select("digest").where("digest", "=", definition.digest),
    ),
    // Any conflict: the run itself, or a live run of its session (see the index runs_session_exclusive).
    insertRun: prepare(
      row,
      db
        .insertInto("runs")
        .values(row)
        .onConflict((conflict) => conflict.doNothing()),
    ),
    insertTexts: prepare(texts, db.insertInto("run_texts").values(texts)),
    liveOfSession: prepare(
      session,
      db
        .selectFrom("runs")
        .select("run_id")
        .where("principal_id", "=", session.principalId)
        .where("agent", "=", session.agent)
        .where("session_id", "=", session.sessionId)
        .where("exclusive", "=", 1)
        .where("status", "in", LIVE),
    ),
  };
}

function prepareIdempotency(db: Builder) {
  const keyed = slots<{ principalId: string; key: string }>("principalId", "key");
  const taken = slots<{
    principalId: string;
    key: string;
    bodyDigest: string;
    runId: string;
    expiresAt: number;
    now: number;
  }>("principalId", "key", "bodyDigest", "runId", "expiresAt", "now");
  const keyRow = {
    principal_id: taken.principalId,
    key: taken.key,
    body_digest: taken.bodyDigest,
    run_id: taken.runId,
    expires_at: taken.expiresAt,
  } satisfies IdempotencyTable;

  return {
    takeIdempotency: prepare(
      taken,
      db
        .insertInto("idempotency")
        .values(keyRow)
        .onConflict((conflict) =>
          conflict
            .columns(["principal_id", "key"])
            .doUpdateSet({ body_digest: taken.bodyDigest, run_id: taken.runId, expires_at: taken.expiresAt })
            .where("idempotency.expires_at", "<=", taken.now),
        ),
    ),
    idempotency: prepare(
      keyed,
      db
        .selectFrom("idempotency")
        .select(["body_digest", "run_id"])
        .where("principal_id", "=", keyed.principalId)
        .where("key", "=", keyed.key),
    ),
    dropIdempotency: prepare(
      keyed,
      db.deleteFrom("idempotency").where("principal_id", "=", keyed.principalId).where("key", "=", keyed.key),
    ),
  };
}

function prepareSteering(db: Builder) {
  const take = slots<{ runId: string; expectedEpoch: number; ownerNodeId: string; leaseUntil: number }>(
    "runId",
    "expectedEpoch",
    "ownerNodeId",
    "leaseUntil",
  );
  const owner = slots<{ ownerNodeId: string; leaseUntil: number }>("ownerNodeId", "leaseUntil");
  const cancel = slots<{ runId: string; now: number }>("runId", "now");

  return {
    claim: prepare(
      take,
      db
        .updateTable("runs")
        .set((eb) => ({
          status: "running",
          owner_node_id: take.ownerNodeId,
          lease_until: take.leaseUntil,
          epoch: eb("epoch", "+", 1),
          attempt: eb("attempt", "+", 1),
        }))
        .where("run_id", "=", take.runId)
        .where("epoch", "=", take.expectedEpoch)
        .where("status", "in", LIVE),
    ),
    renew: prepare(
      owner,
      db
        .updateTable("runs")
        .set({ lease_until: owner.leaseUntil })
        .where("owner_node_id", "=", owner.ownerNodeId)
        .where("status", "=", sql.lit("running"))
        .returning("run_id"),
    ),
    requestCancel: prepare(
      cancel,
      db
        .updateTable("runs")
        .set((eb) => ({
          cancel_requested_at: eb.fn.coalesce("cancel_requested_at", sql<number>`${cancel.now}`),
          status: eb
            .case()
            .when("status", "=", "waiting")
            .then(sql.lit<RunStatus>("queued"))
            .else(eb.ref("status"))
            .end(),
        }))
        .where("run_id", "=", cancel.runId)
        .where("status", "in", LIVE),
    ),
  };
}

function prepareSignals(db: Builder) {
  const run = slots<{ runId: string }>("runId");
  const signal = slots<Omit<RunSignal, "payload"> & { payload: string }>(
    "runId",
    "signalId",
    "name",
    "payload",
    "sender",
    "at",
  );

  return {
    lockLive: prepare(
      run,
      db
        .updateTable("runs")
        .set((eb) => ({ head_seq: eb.ref("head_seq") }))
        .where("run_id", "=", run.runId)
        .where("status", "in", LIVE)
        .returning("status"),
    ),
    insertSignal: prepare(
      signal,
      db
        .insertInto("signals")
        .values({
          run_id: signal.runId,
          signal_id: signal.signalId,
          name: signal.name,
          payload: signal.payload,
          sender: signal.sender,
          at: signal.at,
          consumed: 0,
        })
        .onConflict((conflict) => conflict.doNothing()),
    ),
  };
}

function prepareEffectKeys(db: Builder) {
  const entry = slots<EffectKey & { runId: string; position: string; expiresAt: number; now: number }>(
    "tool",
    "principalId",
    "key",
    "runId",
    "position",
    "expiresAt",
    "now",
  );
  const key = slots<EffectKey>("tool", "principalId", "key");

  return {
    reserveKey: prepare(
      entry,
      db
        .insertInto("effect_keys")
        .values({
          tool: entry.tool,
          principal_id: entry.principalId,
          key: entry.key,
          run_id: entry.runId,
          position: entry.position,
          result: null,
          expires_at: entry.expiresAt,
        })
        .onConflict((conflict) =>
          conflict
            .columns(["tool", "principal_id", "key"])
            .doUpdateSet({
              run_id: entry.runId,
              position: entry.position,
              result: null,
              expires_at: entry.expiresAt,
            })
            .where("effect_keys.expires_at", "<=", entry.now),
        ),
    ),
    effectKey: prepare(
      key,
      db
        .selectFrom("effect_keys")
        .select(["run_id", "position", "result"])
        .where("tool", "=", key.tool)
        .where("principal_id", "=", key.principalId)
        .where("key", "=", key.key),
    ),
  };
}
