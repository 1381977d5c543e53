import type { Run } from "../core/index.ts";

/**
 * The tables, as Kysely sees them. The same on SQLite and PostgreSQL: ids are text, times are integer milliseconds,
 * JSON is text (so that both databases keep it byte by byte).
 *
 * Money is a floating-point number of dollars, as in core's Usage: a single call may cost less than a micro-dollar,
 * and what is read back must equal what was written.
 */
export interface Schema {
  readonly meta: MetaTable;
  readonly definitions: DefinitionsTable;
  readonly runs: RunsTable;
  readonly run_texts: RunTextsTable;
  readonly journal: JournalTable;
  readonly messages: MessagesTable;
  readonly blobs: BlobsTable;
  readonly stream: StreamTable;
  readonly signals: SignalsTable;
  readonly idempotency: IdempotencyTable;
  readonly effect_keys: EffectKeysTable;
  readonly conversations: ConversationsTable;
  readonly agents: AgentsTable;
  readonly cache: CacheTable;
}

/** Fields of a run that are kept apart from `runs` (see RunTextsTable) or take several columns. */
type ApartField = "input" | "response" | "output" | "error" | "usage" | "lostUsage";

/** Each field of a run that is one column of `runs`, and that column's name. */
export const RUN_COLUMNS = {
  runId: "run_id",
  agent: "agent",
  definitionDigest: "definition_digest",
  principalId: "principal_id",
  sessionId: "session_id",
  traceId: "trace_id",
  parentSpanId: "parent_span_id",
  engine: "engine",
  journalFormat: "journal_format",
  status: "status",
  stopReason: "stop_reason",
  modelMs: "model_ms",
  toolMs: "tool_ms",
  model: "model",
  provider: "provider",
  ownerNodeId: "owner_node_id",
  epoch: "epoch",
  attempt: "attempt",
  fruitlessAttempts: "fruitless_attempts",
  leaseUntil: "lease_until",
  wakeAt: "wake_at",
  waitReason: "wait_reason",
  workLimitMs: "work_limit_ms",
  workedMs: "worked_ms",
  waitDeadlineAt: "wait_deadline_at",
  cancelRequestedAt: "cancel_requested_at",
  parentRunId: "parent_run_id",
  parentPosition: "parent_position",
  depth: "depth",
  headSeq: "head_seq",
  segment: "segment",
  createdAt: "created_at",
  startedAt: "started_at",
  endedAt: "ended_at",
} as const satisfies Record<Exclude<keyof Run, ApartField>, string>;

type PlainField = keyof typeof RUN_COLUMNS;
type PlainColumns = { [F in PlainField as (typeof RUN_COLUMNS)[F]]: Run[F] };

/** A run's row without its texts. Rewritten by each step of the run, so it is kept short. */
export interface RunsTable extends PlainColumns {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number | null;
  readonly lost_input_tokens: number;
  readonly lost_output_tokens: number;
  readonly lost_cost_usd: number | null;
  /** 1 when no other run of the session may be live beside this one. */
  readonly exclusive: number;
  /** Last durable offset of the stream; 0 before the first and after the stream was dropped. */
  readonly stream_head: number;
}

/** What a run was asked and what it answered: of any size, written once each. */
export interface RunTextsTable {
  readonly run_id: string;
  readonly input: string;
  readonly response: string | null;
  readonly output: string | null;
  readonly error: string | null;
}

/** Facts about the database itself, such as `store_id`. */
export interface MetaTable {
  readonly key: string;
  readonly value: string;
}

/** Agent definitions that runs are pinned to. */
export interface DefinitionsTable {
  readonly digest: string;
  readonly definition: string;
  /** When a run was last pinned to it, to the hour. Keeps the sweep away from one that is about to be used. */
  readonly used_at: number;
}

/** JSON kept inline, or in `blobs` when it is long: one of the two columns is set. */
interface MaybeBlob {
  readonly body: string | null;
  readonly body_blob: string | null;
}

export interface JournalTable extends MaybeBlob {
  readonly run_id: string;
  readonly seq: number;
  readonly segment: number;
  readonly position: string;
  readonly phase: string;
  readonly kind: string;
  readonly effect_class: string | null;
  readonly input_digest: string | null;
  readonly attempt: number;
  readonly at: number;
}

export interface MessagesTable extends MaybeBlob {
  readonly run_id: string;
  readonly thread: string;
  readonly idx: number;
}

/** Long JSON of a run, named by the SHA-256 of its text, so that a repeated one is kept once. */
export interface BlobsTable {
  readonly run_id: string;
  readonly digest: string;
  readonly body: string;
}

/** One row for each committed batch of events. */
export interface StreamTable {
  readonly run_id: string;
  readonly first_offset: number;
  readonly last_offset: number;
  readonly attempt: number;
  readonly events: string;
}

export interface SignalsTable {
  readonly run_id: string;
  readonly signal_id: string;
  readonly name: string;
  readonly payload: string;
  readonly sender: string;
  readonly at: number;
  /** 1 once a step has used it up; the row stays, so that a repeated send is known. */
  readonly consumed: number;
}

export interface IdempotencyTable {
  readonly principal_id: string;
  readonly key: string;
  readonly body_digest: string;
  readonly run_id: string;
  readonly expires_at: number;
}

export interface EffectKeysTable {
  readonly tool: string;
  readonly principal_id: string;
  readonly key: string;
  readonly run_id: string;
  readonly position: string;
  /** JSON; null until the effect is done. */
  readonly result: string | null;
  readonly expires_at: number;
}

export interface ConversationsTable {
  readonly agent: string;
  readonly principal_id: string;
  readonly session_id: string;
  readonly run_id: string;
  readonly at: number;
  readonly messages: string;
}

export interface AgentsTable {
  readonly name: string;
  readonly document: string;
  readonly updated_at: number;
}

export interface CacheTable {
  readonly scope: string;
  readonly key: string;
  readonly value: string;
  readonly expires_at: number | null;
}
