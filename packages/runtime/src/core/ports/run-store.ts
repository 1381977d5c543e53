import type { PinnedDefinition } from "../agent.ts";
import type { EffectClass, EffectKind } from "../effect.ts";
import type { StreamEvent } from "../events.ts";
import type { Json } from "../json.ts";
import type { Message } from "../message.ts";
import type { Run, RunStatus } from "../run.ts";
import type { ConversationKey, ConversationTurn } from "./conversation-store.ts";

/** Who may write to a run: its owner in the epoch of its claim. */
export interface RunGuard {
  readonly runId: string;
  readonly ownerNodeId: string;
  readonly epoch: number;
}

/** What a journal record is about: a kind of effect, or one of the loop's own calls. */
export type RecordKind = EffectKind | "timer" | "signal" | "child" | "race" | "version" | "checkpoint";

/**
 * - `intent`: about to be performed. A resume that finds it alone decides by the effect's class.
 * - `done`, `failed`: the outcome that every replay returns.
 * - `ambiguous`: a `once` effect whose outcome a crash hid; replaced by nothing, followed by done or failed.
 */
export type RecordPhase = "intent" | "done" | "failed" | "ambiguous";

/** One line of a run's journal. (segment, position, phase) is unique within a run. */
export interface JournalRecord {
  /** Grows by one within the run; the first is 1. */
  readonly seq: number;
  readonly segment: number;
  /** The call's place in the loop, such as `3` or `3.0.1` inside branches. */
  readonly position: string;
  readonly phase: RecordPhase;
  readonly kind: RecordKind;
  readonly effectClass: EffectClass | null;
  /** Digest of the request, so that a replay that asks for something else is noticed. */
  readonly inputDigest: string | null;
  /** The outcome, or what the intent must keep. Over 64 KiB the store keeps it as a blob. */
  readonly payload: Json;
  readonly attempt: number;
  readonly at: number;
}

/** A record about to be written; the store gives it its `seq`. */
export type NewRecord = Omit<JournalRecord, "seq">;

/** A message at its place in a run's thread. */
export interface ThreadMessage {
  readonly thread: string;
  readonly index: number;
  readonly message: Message;
}

/** The columns of a run that its owner may change along the way. */
export type RunPatch = Partial<
  Pick<
    Run,
    | "status"
    | "stopReason"
    | "response"
    | "output"
    | "error"
    | "usage"
    | "lostUsage"
    | "modelMs"
    | "toolMs"
    | "model"
    | "provider"
    | "wakeAt"
    | "waitReason"
    | "waitDeadlineAt"
    | "workedMs"
    | "fruitlessAttempts"
    | "segment"
    | "startedAt"
    | "endedAt"
  >
>;

/** A turn and the session that it belongs to. */
export interface SessionTurn {
  readonly key: ConversationKey;
  readonly turn: ConversationTurn;
}

/** Everything that one step of a run writes, in one transaction. Absent parts write nothing. */
export interface RunChange {
  readonly records?: readonly NewRecord[];
  readonly messages?: readonly ThreadMessage[];
  /** A status other than `running` also frees the run: owner and lease become null. */
  readonly patch?: RunPatch;
  /**
   * Parking only: when an unconsumed signal of one of these names is there, the run becomes `queued` instead. So does
   * every run that parks although its cancel was requested.
   */
  readonly unlessSignalled?: readonly string[];
  /** What sessions are to remember; idempotent by run id, as ConversationStore.remember. */
  readonly turns?: readonly SessionTurn[];
  /** Signals that this step used up. */
  readonly consumeSignals?: readonly string[];
  /** A wider effect key (see EffectKey) that this step completes. */
  readonly completeEffectKey?: EffectKey & { readonly result: Json };
  /** Events that must be durable together with the change, such as `done`. */
  readonly stream?: readonly StreamEvent[];
}

/** A new run, and what decides whether it is one. */
export interface RunCreate {
  readonly run: Run;
  readonly definition: PinnedDefinition;
  /** Same principal, same key: the same run. Kept 24 h. */
  readonly idempotency: { readonly key: string; readonly bodyDigest: string; readonly expiresAt: number } | null;
  /** Refuse when the session has a run that has not ended. False for child runs. */
  readonly exclusiveSession: boolean;
}

/** What became of a create. */
export type CreateOutcome =
  | { readonly kind: "created" }
  /** The key (or, for a child, the run id) is known: this run was made before. */
  | { readonly kind: "existing"; readonly runId: string }
  | { readonly kind: "key_reused" }
  | { readonly kind: "session_busy"; readonly runId: string };

/** Which runs to list; newest first. */
export interface RunFilter {
  readonly agent?: string;
  readonly status?: RunStatus;
  readonly sessionId?: string;
  /** Only this principal's. */
  readonly principalId?: string;
  readonly parentRunId?: string;
  readonly traceId?: string;
  /** Only runs with a smaller id (ids sort by creation time). */
  readonly before?: string;
  readonly limit: number;
}

/** A message to a run from outside. Its id makes a repeated send the same signal. */
export interface RunSignal {
  readonly signalId: string;
  readonly runId: string;
  readonly name: string;
  readonly payload: Json;
  /** The principal that sent it, or `run:<id>` for a child's end. */
  readonly sender: string;
  readonly at: number;
}

/** A key wider than one run, for tools that declare one: the same key within its window is the same effect. */
export interface EffectKey {
  readonly tool: string;
  readonly principalId: string;
  readonly key: string;
}

/** What reserving an effect key found. */
export type EffectKeyOutcome =
  | { readonly kind: "reserved" }
  | { readonly kind: "taken"; readonly runId: string; readonly position: string; readonly result: Json | undefined };

/** How long things are kept after a run ended. */
export interface Retention {
  readonly runsMs: number;
  /** At most this many ended runs, oldest first out. */
  readonly runsCount: number;
  readonly streamsMs: number;
}

/**
 * Where runs live. Implemented on SQLite and PostgreSQL; one contract suite holds both.
 *
 * Contract. Every promise that resolves has its writes on disk (SQLite: WAL with synchronous=FULL; PostgreSQL:
 * synchronous_commit=on). A method either does all of its writes or none. Writes under a guard reject with
 * `stale_epoch` when the run has another owner or epoch, or has ended. A database that is full, locked beyond its
 * timeout or unreachable rejects with `store_full` or `store_unavailable`, both retryable. After `store_unavailable` the
 * writes may be there all the same (only the answer was lost): an owner finds out by claiming the run again, and its
 * journal tells. A second record at one place, or a second batch at one offset, rejects with `journal_mismatch`.
 */
export interface RunStore {
  create(create: RunCreate): Promise<CreateOutcome>;
  get(runId: string): Promise<Run | null>;
  definition(digest: string): Promise<PinnedDefinition | null>;
  list(filter: RunFilter): Promise<readonly Run[]>;
  /** Runs by status, over the whole store. */
  count(): Promise<Readonly<Record<RunStatus, number>>>;

  /**
   * Takes a run: compares `expectedEpoch`, sets owner, lease, status `running`, epoch + 1 and attempt + 1.
   * Null when somebody else was faster or the run has ended.
   */
  claim(take: {
    readonly runId: string;
    readonly expectedEpoch: number;
    readonly ownerNodeId: string;
    readonly leaseMs: number;
    readonly now: number;
  }): Promise<Run | null>;
  /** Prolongs the leases of all runs of this owner, in one statement; returns the run ids that it still holds. */
  renewLeases(ownerNodeId: string, leaseMs: number, now: number): Promise<readonly string[]>;
  /**
   * Runs that somebody should take now: queued; waiting with `wakeAt` or `waitDeadlineAt` reached; running under a
   * lease that ended. Oldest first.
   */
  due(now: number, limit: number): Promise<readonly Run[]>;
  /** When the next waiting run wakes by itself; null when none will. */
  nextWakeAt(): Promise<number | null>;

  /** One step of a run; see RunChange. Returns the journal's new head. */
  append(guard: RunGuard, change: RunChange): Promise<number>;
  /** The journal of a run, in order; `segment` limits it to one. */
  journal(runId: string, segment?: number): Promise<readonly JournalRecord[]>;
  /** Messages [from, to) of a thread. */
  thread(runId: string, thread: string, from: number, to: number): Promise<readonly Message[]>;

  /** Group-committed events of a running attempt. Refused like any write of an old owner. */
  appendStream(guard: RunGuard, events: readonly StreamEvent[]): Promise<void>;
  /** Events after `afterOffset`, in order. */
  readStream(runId: string, afterOffset: number, limit: number): Promise<readonly StreamEvent[]>;
  /** The last durable offset; 0 when there is none. */
  streamHead(runId: string): Promise<number>;

  /** Keeps the signal and wakes the run if it waits. False when the run is unknown or ended; true also for a repeat. */
  signal(signal: RunSignal): Promise<boolean>;
  /** Signals of a run not yet used up, oldest first. */
  signals(runId: string): Promise<readonly RunSignal[]>;
  /** Notes the wish to cancel and wakes the run if it waits. Null when unknown; the run as it then stands otherwise. */
  requestCancel(runId: string, now: number): Promise<Run | null>;

  /** Reserves a wider effect key for (run, position); the same pair may reserve again. */
  reserveEffectKey(
    entry: EffectKey & { readonly runId: string; readonly position: string; readonly expiresAt: number },
  ): Promise<EffectKeyOutcome>;

  /** Drops what retention says, and expired keys. Returns rows dropped by table. */
  sweep(retention: Retention, now: number): Promise<Readonly<Record<string, number>>>;
}
