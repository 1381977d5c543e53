import { sql } from "kysely";

import type { Retention } from "../core/ports/index.ts";
import { all, changes, once } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

/** Runs that one transaction drops: enough to get on, few enough that a waiting step of a run is not held up. */
const BATCH_RUNS = 100;

/** Definitions that no run is pinned to are kept this long, so that one about to be used is not dropped. */
const UNUSED_DEFINITION_MS = 2 * 3_600_000;

/** Tables with rows of a run, in an order that foreign keys allow; the run itself comes last. */
const RUN_TABLES = ["journal", "messages", "blobs", "stream", "signals", "run_texts", "runs"] as const;

/** Rows dropped, by table. */
export type Dropped = Readonly<Record<string, number>>;

/** The writes that keep house. Each drops a bounded number of runs; the repository repeats them until none is left. */
export function createSweeps(db: Builder) {
  function* oldRuns(retention: Retention, now: number): Unit<readonly string[]> {
    const ended = db.selectFrom("runs").select("run_id").where("ended_at", "is not", null).limit(BATCH_RUNS);
    const tooOld = ended.where("ended_at", "<=", now - retention.runsMs).orderBy("ended_at");
    const tooMany = ended.orderBy("ended_at", "desc").orderBy("run_id", "desc").offset(retention.runsCount);
    const rows = [...(yield* all(once(tooOld))), ...(yield* all(once(tooMany)))];
    return [...new Set(rows.map((row) => row.run_id))];
  }

  return {
    *sweepRuns(retention: Retention, now: number): Unit<Dropped> {
      const runIds = yield* oldRuns(retention, now);
      const dropped: Record<string, number> = {};
      if (runIds.length === 0) return dropped;
      for (const table of RUN_TABLES) {
        dropped[table] = yield* changes(once(db.deleteFrom(table).where("run_id", "in", runIds)));
      }
      return dropped;
    },

    *sweepStreams(endedBefore: number): Unit<Dropped> {
      const kept = db
        .selectFrom("runs")
        .select("run_id")
        .where("ended_at", "is not", null)
        .where("stream_head", ">", 0)
        .where("ended_at", "<=", endedBefore)
        .limit(BATCH_RUNS);
      const runIds = (yield* all(once(kept))).map((row) => row.run_id);
      if (runIds.length === 0) return {};
      yield* changes(once(db.updateTable("runs").set({ stream_head: 0 }).where("run_id", "in", runIds)));
      return { stream: yield* changes(once(db.deleteFrom("stream").where("run_id", "in", runIds))) };
    },

    *sweepExpired(now: number): Unit<Dropped> {
      const dropped: Record<string, number> = {};
      for (const table of ["idempotency", "effect_keys", "cache"] as const) {
        dropped[table] = yield* changes(once(db.deleteFrom(table).where("expires_at", "<=", now)));
      }
      const pinned = db
        .selectFrom("runs")
        .select("run_id")
        .whereRef("runs.definition_digest", "=", sql.ref("definitions.digest"));
      dropped["definitions"] = yield* changes(
        once(
          db
            .deleteFrom("definitions")
            .where("used_at", "<=", now - UNUSED_DEFINITION_MS)
            .where((eb) => eb.not(eb.exists(pinned))),
        ),
      );
      return dropped;
    },
  };
}
