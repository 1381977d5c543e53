import type { Clock, Ids, Pattern, PatternName, Random } from "../core/index.ts";
import type {
  CatalogSource,
  ContextBuilder,
  Logger,
  ModelGateway,
  Retention,
  RunStore,
  SessionMemory,
  ToolRegistry,
} from "../core/ports/index.ts";
import type { RunObserver } from "./observer.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What the engine works with. */
export interface RunEngineDeps {
  readonly store: RunStore;
  readonly catalog: CatalogSource;
  /** The loop of a pattern; null when this release has none of that name. */
  readonly patterns: (name: PatternName) => Pattern | null;
  readonly gateway: ModelGateway;
  readonly tools: ToolRegistry;
  readonly contextBuilder: ContextBuilder;
  readonly memory: SessionMemory;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Jitter of retries; never part of a loop. */
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeId: string;
  readonly observer: RunObserver;
}

/** How the engine behaves. Times in milliseconds. */
export interface RunEngineOptions {
  /** Runs that work at the same time on this node. Default 256: they mostly wait for I/O. */
  readonly maxConcurrent: number;
  /** Runs of the store that may wait for a slot; beyond, `admission_full`. Default 1,000. */
  readonly maxQueued: number;
  /** Runs taken over from a dead attempt that replay at the same time. Default 8. */
  readonly maxResuming: number;
  /** How long a request waits for its session's run to end before `session_busy`. Default 2 s. */
  readonly sessionWaitMs: number;
  /** How long a claim holds without renewal. Default 15 s. */
  readonly leaseMs: number;
  /** How often leases are renewed. Default 5 s. */
  readonly leaseRenewMs: number;
  /** How often the store is asked for work that nobody told us of. Default 1 s. */
  readonly pollMs: number;
  /** How often a working run looks for signals and cancels that another node wrote. Default 2 s. */
  readonly controlPollMs: number;
  /** How long a run may work, waiting apart, when its definition does not say. Default 1 h. */
  readonly workLimitMs: number;
  /** How long approvals, children and ambiguous effects are waited for. Default 7 days. */
  readonly waitLimitMs: number;
  /** Attempts in a row that died and journaled nothing new before a run is quarantined. Default 3. */
  readonly poisonAfter: number;
  /** How deep runs may start runs. Default 5. */
  readonly maxDepth: number;
  /** Recorded calls of a segment after which the loop is asked for a checkpoint. Default 200 (about 400 records). */
  readonly checkpointCalls: number;
  /** How much of a tool's result the model sees. Default 64 KiB. */
  readonly toolTextBytes: number;
  /** A stream's events become durable at the latest after this. Default 50 ms. */
  readonly streamFlushMs: number;
  /** .. or when this many wait. Default 32. */
  readonly streamFlushEvents: number;
  /** Events that a reader may lag behind before it is served from the log. Default 256. */
  readonly streamBuffer: number;
  /** How often the log of a run that works elsewhere is read for a watcher; five times as rarely while it waits. Default 200 ms. */
  readonly streamPollMs: number;
  /** Principals may approve tool calls of their own runs. Default false (`admin` always may). */
  readonly selfApproval: boolean;
  /** How long ended runs and streams stay. Default 30 days, 100,000 runs; streams 24 h. */
  readonly retention: Retention;
  /** How often retention is applied. Default 1 h. */
  readonly sweepMs: number;
  /** How long a client's idempotency key is remembered. Default 24 h. */
  readonly idempotencyMs: number;
}

/** The defaults, as documented at each option. */
export const RUN_ENGINE_DEFAULTS: RunEngineOptions = {
  maxConcurrent: 256,
  maxQueued: 1_000,
  maxResuming: 8,
  sessionWaitMs: 2 * SECOND_MS,
  leaseMs: 15 * SECOND_MS,
  leaseRenewMs: 5 * SECOND_MS,
  pollMs: SECOND_MS,
  controlPollMs: 2 * SECOND_MS,
  workLimitMs: HOUR_MS,
  waitLimitMs: 7 * DAY_MS,
  poisonAfter: 3,
  maxDepth: 5,
  checkpointCalls: 200,
  toolTextBytes: 64 * 1024,
  streamFlushMs: 50,
  streamFlushEvents: 32,
  streamBuffer: 256,
  streamPollMs: 200,
  selfApproval: false,
  retention: { runsMs: 30 * DAY_MS, runsCount: 100_000, streamsMs: DAY_MS },
  sweepMs: HOUR_MS,
  idempotencyMs: DAY_MS,
};
