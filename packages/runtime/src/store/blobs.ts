import { createHash } from "node:crypto";

import { changes, prepare, slots } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

/** JSON longer than this goes to `blobs`. Bytes of its UTF-8 text. */
const INLINE_BYTES_MAX = 64 * 1024;

/** Where a JSON value was put: one of the two is set. */
export interface KeptJson {
  readonly body: string | null;
  readonly body_blob: string | null;
}

/** Keeps JSON inline, or as a blob of the run when it is long. */
export function createBlobWriter(db: Builder) {
  const place = slots<{ runId: string; digest: string; body: string }>("runId", "digest", "body");
  const insert = prepare(
    place,
    db
      .insertInto("blobs")
      .values({ run_id: place.runId, digest: place.digest, body: place.body })
      .onConflict((conflict) => conflict.doNothing()),
  );

  return function* keep(runId: string, value: unknown): Unit<KeptJson> {
    const body = JSON.stringify(value);
    if (Buffer.byteLength(body) <= INLINE_BYTES_MAX) return { body, body_blob: null };
    const digest = createHash("sha256").update(body).digest("hex");
    yield* changes(insert({ runId, digest, body }));
    return { body: null, body_blob: digest };
  };
}

/** The value of a row that was joined with its blob. */
export function readKept(row: { readonly body: string | null; readonly blob: string | null }): unknown {
  return JSON.parse(row.body ?? row.blob ?? "null");
}
