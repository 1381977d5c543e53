import type { RequestContext } from "./agent.ts";
import type { ErrorRecord } from "./errors.ts";
import type { Json } from "./json.ts";
import type { ImagePart } from "./message.ts";
import type { Usage } from "./usage.ts";

/** Where a run stands. `queued` and `waiting` runs hold no memory; `running` ones have a lease. */
export type RunStatus = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

/** The states that a run never leaves. */
export const FINAL_STATUSES = ["completed", "failed", "cancelled"] as const;

/** Why a run ended. `max_iterations` and `budget` are completed runs with a partial result. */
export type StopReason =
  | "end"
  | "max_iterations"
  | "budget"
  | "timeout"
  | "guardrail"
  | "error"
  | "poison"
  | "cancelled";

/** What a waiting run waits for. */
export type WaitReason = "timer" | "signal" | "approval" | "child" | "ambiguous" | "retry";

/** True when the run has ended. */
export function isEnded(status: RunStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** A run that waits for one of these needs somebody: nothing comes of waiting with it. */
const WAITS_FOR_SOMEBODY: readonly (WaitReason | null)[] = ["approval", "signal", "ambiguous"];

/** True when a client need not wait any longer: the run has ended, or needs somebody to go on. */
export function isSettled(run: Pick<Run, "status" | "waitReason">): boolean {
  return isEnded(run.status) || (run.status === "waiting" && WAITS_FOR_SOMEBODY.includes(run.waitReason));
}

/** What hosts the loop of a run. A run keeps the engine that it began with. */
export type EngineName = "journal" | "temporal";

/** The format of the journals that this release writes. Raised when an older reader would misread them. */
export const JOURNAL_FORMAT = 1;

/** What a client asks of an agent. */
export interface RunInput {
  readonly query: string;
  readonly images: readonly ImagePart[];
  readonly context: RequestContext;
}

/** A run as it stands in the store. */
export interface Run {
  readonly runId: string;
  readonly agent: string;
  /** Digest of the pinned definition. */
  readonly definitionDigest: string;
  readonly principalId: string;
  readonly sessionId: string;
  readonly traceId: string;
  /** The span that asked for the run; null when the client sent no trace. */
  readonly parentSpanId: string | null;
  readonly engine: EngineName;
  readonly journalFormat: number;
  readonly status: RunStatus;
  readonly stopReason: StopReason | null;
  readonly input: RunInput;
  readonly response: string | null;
  /** The answer as data, where the definition has an `output_schema`. */
  readonly output: Json;
  readonly error: ErrorRecord | null;
  readonly usage: Usage;
  /** What attempts that died had begun to spend and never reported. */
  readonly lostUsage: Usage;
  readonly modelMs: number;
  readonly toolMs: number;
  /** Model and provider of the last answer. */
  readonly model: string | null;
  readonly provider: string | null;
  /** The node that holds the run; null when queued, waiting or ended. */
  readonly ownerNodeId: string | null;
  /** Grows with each claim. Every write of an owner names it; an older one is refused. */
  readonly epoch: number;
  /** Which stretch of work this is; the first is 1, 0 before it. */
  readonly attempt: number;
  /** Attempts in a row that journaled nothing new. */
  readonly fruitlessAttempts: number;
  /** When the owner's claim ends, milliseconds since the epoch by the store's clock. */
  readonly leaseUntil: number | null;
  /** When a waiting run wakes by itself; null when only a signal wakes it. */
  readonly wakeAt: number | null;
  readonly waitReason: WaitReason | null;
  /** How long the run may work, waiting apart. Milliseconds. */
  readonly workLimitMs: number;
  /** How long it has worked up to its last change of state. Milliseconds. */
  readonly workedMs: number;
  /** When a waiting run gives up, whatever it waits for. */
  readonly waitDeadlineAt: number | null;
  readonly cancelRequestedAt: number | null;
  readonly parentRunId: string | null;
  readonly parentPosition: string | null;
  /** How deep in a chain of child runs; 0 for a client's own. */
  readonly depth: number;
  /** Journal records so far. */
  readonly headSeq: number;
  /** Which segment of the loop (see continue in loop.ts); grows at each checkpoint. */
  readonly segment: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}
