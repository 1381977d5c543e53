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
  readonly store: Pick<RunStore, "due" | "get" | "list" | "nextWakeAt">;
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
  /** A run is ours by the store's word, and nobody here works on it. */
  stray(runId: string): void;
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
  const bell = createBell(deps.clock);
  const claims = createClaims(deps, bell.ring);
  let running: { readonly stop: AbortController; readonly main: Promise<void> } | null = null;

  const loop = async (signal: AbortSignal): Promise<void> => {
    claims.claimFirst(await findOrphans(deps, signal));
    while (!signal.aborted) await bell.wait(await claims.turn(), signal);
  };

  return {
    nudge: bell.ring,
    backlogged: claims.backlogged,
    stray: (runId) => {
      const take = async (): Promise<void> => {
        const row = await deps.store.get(runId);
        if (row === null || !isLeft(row, deps)) return;
        deps.logger.warn("a run of this node was worked on by nobody and is taken up", { runId });
        claims.claimFirst([row]);
        bell.ring();
      };
      // A store in trouble is asked again with the next renewal.
      take().catch(() => {});
    },
    queued: () => {
      claims.expect();
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

/** Claims what is due, as far as there is room. @param freed called when there is room again for known queued runs. */
function createClaims({ store, clock, table, logger, pollMs, maxResuming }: SchedulerDeps, freed: () => void) {
  const fit = createFitness(logger);
  const orphans: Run[] = [];
  /** Due rows that are at work here all the same: their leases lapsed and their attempts are about to notice. */
  let lapsed = 0;
  let resuming = 0;
  let backlog = false;

  const take = async (row: Run): Promise<boolean> => {
    resuming += 1;
    const attempt = await table.claim(row);
    const replayed = (): void => {
      resuming -= 1;
      if (backlog) freed();
    };
    if (attempt === null) replayed();
    else void attempt.live.then(replayed);
    return attempt !== null;
  };

  /** Claims what fits; true when there may be more. A round that took nothing says no, so that nothing spins. */
  const round = async (room: number): Promise<boolean> => {
    const asked = room + fit.skipped() + lapsed;
    const found = orphans.length > 0 ? orphans.splice(0, room) : await store.due(clock.now(), asked);
    const here = found.filter((row) => table.has(row.runId));
    lapsed = here.length;
    const rows = found.filter((row) => fit.check(row) && !here.includes(row)).slice(0, room);
    const taken = await Promise.all(rows.map(take));
    return orphans.length > 0 || (found.length >= asked && taken.includes(true));
  };

  const pauseMs = async (): Promise<number> => {
    const wakeAt = backlog ? null : await store.nextWakeAt();
    return wakeAt === null ? pollMs : Math.max(MIN_PAUSE_MS, Math.min(pollMs, wakeAt - clock.now()));
  };

  return {
    backlogged: (): boolean => backlog,
    expect: (): void => {
      backlog = true;
    },
    claimFirst: (rows: readonly Run[]): void => {
      orphans.push(...rows);
    },
    /** Fills the free slots; returns how long to pause before the next turn. */
    turn: async (): Promise<number> => {
      try {
        for (let more = true; more;) {
          const room = Math.min(table.free(), maxResuming - resuming, PAGE_ROWS);
          backlog = room <= 0 || (await round(room));
          more = backlog && room > 0;
        }
        return await pauseMs();
      } catch (thrown) {
        logger.warn("the store was not asked for due runs", { error: toAstromeshError(thrown) });
        return pollMs;
      }
    },
  };
}

/** True for a run that is this node's and that nobody here works on. */
function isLeft(run: Run, { nodeId, table }: Pick<SchedulerDeps, "nodeId" | "table">): boolean {
  return run.status === "running" && run.ownerNodeId === nodeId && !table.has(run.runId);
}

/** Runs that this node's predecessor left behind (Q3), oldest first. */
async function findOrphans(deps: SchedulerDeps, signal: AbortSignal): Promise<Run[]> {
  const found: Run[] = [];
  let before: string | undefined;
  while (!signal.aborted) {
    try {
      const filter = { status: "running", limit: PAGE_ROWS, ...(before === undefined ? {} : { before }) } as const;
      const page = await deps.store.list(filter);
      found.push(...page.filter((run) => isLeft(run, deps)));
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
