/**
 * Which runs work on this node, and when. The queue is what the store says of `status` and `wake_at`, nothing else.
 *
 * Q1 At most `maxConcurrent` attempts at a time, at most `maxResuming` of them in their replay; parked runs need
 *    neither.
 * Q2 A run that somebody should take is found by the poll at the latest, whoever forgot to tell.
 * Q3 What this node's dead predecessor left `running` is claimed at once: the data directory's lock says it is dead.
 * Q4 A run of another engine or of a newer journal format is left alone.
 * Q5 While queued runs are known, new ones wait behind them.
 */
import { JOURNAL_FORMAT, toAstromeshError } from "../core/index.ts";
import type { Clock, Run } from "../core/index.ts";
import type { Logger, RunStore } from "../core/ports/index.ts";
import type { AttemptTable } from "./attempt-table.ts";

/** What a scheduler works with. Times in milliseconds. */
export interface SchedulerDeps {
  readonly store: Pick<RunStore, "due" | "list" | "nextWakeAt">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly table: AttemptTable;
  readonly nodeId: string;
  readonly pollMs: number;
  readonly maxResuming: number;
}

/** Fills the node's slots from the store. */
export interface Scheduler {
  /** There may be something to take. */
  nudge(): void;
  /** True while queued runs are known to wait (Q5). */
  backlogged(): boolean;
  /** A run was written as queued. */
  queued(): void;
  start(): void;
  /** Takes nothing more. */
  stop(): Promise<void>;
}

/** Rows asked for at a time. */
const PAGE_ROWS = 64;
/** The poll never comes faster than this, even when something that is due cannot be taken. */
const MIN_PAUSE_MS = 20;

/** Creates the scheduler of a node. */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { store, clock, table } = deps;
  const bell = createBell(clock);
  const fit = createFitness(deps.logger);
  let orphans: Run[] = [];
  /** Due rows that are at work here all the same: their leases lapsed and their attempts are about to notice. */
  let lapsed = 0;
  let resuming = 0;
  let backlog = false;
  let running: { readonly stop: AbortController; readonly main: Promise<void> } | null = null;

  const take = async (row: Run): Promise<boolean> => {
    resuming += 1;
    const attempt = await table.claim(row);
    const replayed = (): void => {
      resuming -= 1;
      if (backlog) bell.ring();
    };
    if (attempt === null) replayed();
    else void attempt.live.then(replayed);
    return attempt !== null;
  };

  /** Claims what fits; true when there may be more. One that took nothing says no, so that nothing spins. */
  const pump = async (): Promise<boolean> => {
    const room = Math.min(table.free(), deps.maxResuming - resuming, PAGE_ROWS);
    if (room <= 0) return true;
    const asked = room + fit.skipped() + lapsed;
    const found = orphans.length > 0 ? orphans.splice(0, room) : await store.due(clock.now(), asked);
    const here = found.filter((row) => table.has(row.runId));
    lapsed = here.length;
    const rows = found.filter((row) => fit.check(row) && !here.includes(row)).slice(0, room);
    const taken = await Promise.all(rows.map(take));
    return orphans.length > 0 || (found.length >= asked && taken.includes(true));
  };

  const pauseMs = async (): Promise<number> => {
    if (backlog) return deps.pollMs;
    const wakeAt = await store.nextWakeAt();
    if (wakeAt === null) return deps.pollMs;
    return Math.max(MIN_PAUSE_MS, Math.min(deps.pollMs, wakeAt - clock.now()));
  };

  const turn = async (): Promise<number> => {
    try {
      do backlog = await pump();
      while (backlog && table.free() > 0 && resuming < deps.maxResuming);
      return await pauseMs();
    } catch (thrown) {
      deps.logger.warn("the store was not asked for due runs", { error: toAstromeshError(thrown) });
      return deps.pollMs;
    }
  };

  const loop = async (signal: AbortSignal): Promise<void> => {
    orphans = await findOrphans(deps, signal);
    while (!signal.aborted) await bell.wait(await turn(), signal);
  };

  return {
    nudge: bell.ring,
    backlogged: () => backlog,
    queued: () => {
      backlog = true;
      bell.ring();
    },
    start: () => {
      if (running !== null) return;
      const stop = new AbortController();
      const main = loop(stop.signal).catch((thrown: unknown) => {
        if (!stop.signal.aborted) deps.logger.error("the scheduler stopped", { error: thrown });
      });
      running = { stop, main };
    },
    stop: async () => {
      const stopping = running;
      running = null;
      stopping?.stop.abort(new Error("stopped"));
      await stopping?.main;
    },
  };
}

/** Runs that this node's predecessor left behind (Q3), oldest first. */
async function findOrphans(deps: SchedulerDeps, signal: AbortSignal): Promise<Run[]> {
  const found: Run[] = [];
  let before: string | undefined;
  while (!signal.aborted) {
    try {
      const filter = { status: "running", limit: PAGE_ROWS, ...(before === undefined ? {} : { before }) } as const;
      const page = await deps.store.list(filter);
      found.push(...page.filter((run) => run.ownerNodeId === deps.nodeId && !deps.table.has(run.runId)));
      before = page.at(-1)?.runId;
      if (page.length < PAGE_ROWS) break;
    } catch (thrown) {
      deps.logger.warn("the store was not asked for runs to resume", { error: toAstromeshError(thrown) });
      await deps.clock.sleep(deps.pollMs, signal);
    }
  }
  return found.toReversed();
}

/** Tells runs that this engine can host from others (Q4), and names each of those once in the log. */
function createFitness(logger: Logger) {
  const others = new Set<string>();
  return {
    skipped: () => others.size,
    check: (run: Run): boolean => {
      if (run.engine === "journal" && run.journalFormat <= JOURNAL_FORMAT) return true;
      if (!others.has(run.runId)) {
        const { runId, engine, journalFormat } = run;
        logger.warn("a run was left alone that this release cannot read", { runId, engine, journalFormat });
      }
      others.add(run.runId);
      return false;
    },
  };
}

/** Wakes one sleeper; a ring while nobody sleeps is kept. */
function createBell(clock: Clock) {
  let rung = false;
  let wake: (() => void) | null = null;
  return {
    ring: (): void => {
      rung = true;
      wake?.();
    },
    wait: async (maxMs: number, signal: AbortSignal): Promise<void> => {
      const over = new AbortController();
      wake = () => over.abort(new Error("rung"));
      signal.addEventListener("abort", wake);
      if (!rung && !signal.aborted) await clock.sleep(maxMs, over.signal).catch(() => {});
      signal.removeEventListener("abort", wake);
      wake = null;
      rung = false;
    },
  };
}
