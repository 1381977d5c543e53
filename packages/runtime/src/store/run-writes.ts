import { AstromeshError } from "../core/index.ts";
import type { Run } from "../core/index.ts";
import type {
  CreateOutcome,
  EffectKey,
  EffectKeyOutcome,
  RunCreate,
  RunSignal,
  RunStore,
} from "../core/ports/index.ts";
import { createAppends } from "./append.ts";
import { jsonOrNull, toRun, toRunsRow } from "./rows.ts";
import { selectRun } from "./run-read-statements.ts";
import { prepareRunWrites } from "./run-write-statements.ts";
import { all, changes, first } from "./statement.ts";
import type { Builder, Unit } from "./statement.ts";

/** A create on its way: its definition's text is null when it was written down a short while ago. */
export type CreateCall = Omit<RunCreate, "definition"> & {
  readonly definition: { readonly digest: string; readonly definition: string | null };
};
/** What became of it; `definition_wanted` when the definition is not there after all, and nothing was written. */
export type CreateResult = CreateOutcome | { readonly kind: "definition_wanted" };
/** What `claim` is asked. */
type Claim = Parameters<RunStore["claim"]>[0];
/** What `reserveEffectKey` is asked, and the time that says whether an earlier reservation is over. */
type Reservation = EffectKey & {
  readonly runId: string;
  readonly position: string;
  readonly expiresAt: number;
  readonly now: number;
};

/** How often a write looks again when what stood in its way was gone before it could be read. */
const LOOKS_MAX = 5;

/** Every write of the run store. Each is one transaction. */
export function createRunWrites(db: Builder) {
  const statements = prepareRunWrites(db);
  const runById = selectRun(db);

  function* currentRun(runId: string): Unit<Run | null> {
    const row = yield* first(runById({ runId }));
    return row === undefined ? null : toRun(row);
  }

  return {
    ...createAppends(db),

    *createRun(create: CreateCall): Unit<CreateResult> {
      const { run } = create;
      const { digest, definition } = create.definition;
      if (definition === null && (yield* first(statements.hasDefinition({ digest }))) === undefined) {
        return { kind: "definition_wanted" };
      }
      const known = yield* takeIdempotencyKey(statements, create);
      if (known !== null) return known;
      if (definition !== null) yield* changes(statements.putDefinition({ digest, definition, usedAt: run.createdAt }));
      const obstacle = yield* insertRun(statements, create);
      if (obstacle === null) return { kind: "created" };
      if (create.idempotency !== null) {
        yield* changes(statements.dropIdempotency({ principalId: run.principalId, key: create.idempotency.key }));
      }
      return obstacle;
    },

    *claim(take: Claim): Unit<Run | null> {
      const taken = yield* changes(statements.claim({ ...take, leaseUntil: take.now + take.leaseMs }));
      return taken === 0 ? null : yield* currentRun(take.runId);
    },

    *renewLeases(ownerNodeId: string, leaseUntil: number): Unit<readonly string[]> {
      const rows = yield* all(statements.renew({ ownerNodeId, leaseUntil }));
      return rows.map((row) => row.run_id);
    },

    *signal(signal: RunSignal): Unit<boolean> {
      // The row is changed first, though nothing in it changes, to lock it: see A2 in append.ts.
      const run = yield* first(statements.lockLive({ runId: signal.runId }));
      if (run === undefined) return false;
      const isNew = yield* changes(statements.insertSignal({ ...signal, payload: JSON.stringify(signal.payload) }));
      if (isNew > 0 && run.status === "waiting") yield* changes(statements.queue({ runId: signal.runId }));
      return true;
    },

    *requestCancel(runId: string, now: number): Unit<Run | null> {
      yield* changes(statements.requestCancel({ runId, now }));
      return yield* currentRun(runId);
    },

    *reserveEffectKey(entry: Reservation): Unit<EffectKeyOutcome> {
      for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
        const reserved = yield* changes(statements.reserveKey(entry));
        if (reserved > 0) return { kind: "reserved" };
        const row = yield* first(statements.effectKey(entry));
        if (row === undefined) continue;
        if (row.run_id === entry.runId && row.position === entry.position) return { kind: "reserved" };
        const result = row.result === null ? undefined : JSON.parse(row.result);
        return { kind: "taken", runId: row.run_id, position: row.position, result };
      }
      throw contended();
    },
  };
}

type Statements = ReturnType<typeof prepareRunWrites>;

/** Null when the key is ours now (or there is none); otherwise what it says about an earlier run. */
function* takeIdempotencyKey(statements: Statements, { run, idempotency }: CreateCall): Unit<CreateOutcome | null> {
  if (idempotency === null) return null;
  const { principalId, runId, createdAt } = run;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const taken = yield* changes(statements.takeIdempotency({ ...idempotency, principalId, runId, now: createdAt }));
    if (taken > 0) return null;
    const row = yield* first(statements.idempotency({ principalId, key: idempotency.key }));
    if (row === undefined) continue;
    if (row.body_digest !== idempotency.bodyDigest) return { kind: "key_reused" };
    return { kind: "existing", runId: row.run_id };
  }
  throw contended();
}

/** Null when the run was inserted; otherwise what stands in its way: itself, or another run of its session. */
function* insertRun(statements: Statements, create: CreateCall): Unit<CreateOutcome | null> {
  const { run } = create;
  const row = toRunsRow(run, create.exclusiveSession);
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const inserted = yield* changes(statements.insertRun(row));
    if (inserted > 0) {
      yield* changes(
        statements.insertTexts({
          run_id: run.runId,
          input: JSON.stringify(run.input),
          response: run.response,
          output: jsonOrNull(run.output),
          error: jsonOrNull(run.error),
        }),
      );
      return null;
    }
    const same = yield* first(statements.exists({ runId: run.runId }));
    if (same !== undefined) return { kind: "existing", runId: run.runId };
    const busy = yield* first(statements.liveOfSession(run));
    if (busy !== undefined) return { kind: "session_busy", runId: busy.run_id };
  }
  throw contended();
}

function contended(): AstromeshError {
  return new AstromeshError("store_unavailable", "Others changed the same row again and again; try again.");
}
