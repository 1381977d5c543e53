import { z } from "zod";

import type { JournalRecord } from "../core/ports/index.ts";
import { jsonValue, timestamp, toTimestamp } from "./json.ts";

/** One line of a run's journal. */
const journalRecord = z
  .object({
    seq: z.number(),
    segment: z.number(),
    position: z.string(),
    phase: z.enum(["intent", "done", "failed", "ambiguous"]),
    kind: z.enum([
      "context",
      "say",
      "model",
      "tool",
      "remember",
      "timer",
      "signal",
      "child",
      "race",
      "version",
      "checkpoint",
    ]),
    effect_class: z.enum(["read", "idempotent", "once"]).nullable(),
    payload: jsonValue,
    attempt: z.number(),
    at: timestamp,
  })
  .meta({ id: "JournalRecord" });

/** A run's journal, in order. */
export const journalBody = z.object({ run_id: z.string(), records: z.array(journalRecord) }).meta({ id: "Journal" });
/** See `journalBody`. */
export type JournalBody = z.infer<typeof journalBody>;

/** A journal on the wire. */
export function journalToWire(runId: string, records: readonly JournalRecord[]): JournalBody {
  return {
    run_id: runId,
    records: records.map((record) => ({
      seq: record.seq,
      segment: record.segment,
      position: record.position,
      phase: record.phase,
      kind: record.kind,
      effect_class: record.effectClass,
      payload: record.payload,
      attempt: record.attempt,
      at: toTimestamp(record.at),
    })),
  };
}
