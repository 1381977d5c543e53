/**
 * Everything that an attempt writes, in order, one transaction at a time.
 *
 * W1 What was handed over first is durable first, or at the same moment.
 * W2 At most one write of a run is under way; what comes meanwhile goes together in the next.
 * W3 A change of status is the last write.
 * W4 A write whose fate the store could not tell is looked up before it is repeated.
 */
import { toAstromeshError } from "../../../core/index.ts";
import type { AstromeshError, Clock, Random, StreamEvent } from "../../../core/index.ts";
import type { RunChange, RunGuard, RunStore } from "../../../core/ports/index.ts";
import { isEmptyChange, isStreamOnly, mergeChanges } from "./changes.ts";

/** Where an attempt's outcomes become durable. */
export interface JournalWriter {
  /** Resolves when the change is durable; rejects when the attempt has lost its run. */
  write(change: RunChange): Promise<void>;
  /**
   * The change must be durable before anything that builds on it. It joins the next write, or goes by itself at the
   * end of this turn of the event loop: so an outcome and the next intent cost one commit, not two.
   */
  defer(change: RunChange): void;
  /** An event of the stream: joins the next write, or goes with the group. */
  log(event: StreamEvent): void;
  /** Refuses and forgets everything that is not durable yet. */
  close(reason: AstromeshError): void;
}

/** What a writer works with. */
export interface JournalWriterDeps {
  readonly store: Pick<RunStore, "append" | "appendStream" | "get" | "streamHead">;
  readonly clock: Clock;
  readonly random: Random;
  readonly guard: RunGuard;
  /** The journal's head when the attempt began. */
  readonly headSeq: number;
  /** When the lease ends, on the monotonic clock. A store in trouble is waited for until then. */
  readonly leaseEnd: () => number;
  readonly streamFlushMs: number;
  readonly streamFlushEvents: number;
  /** Events up to this offset are durable. */
  readonly onLogged: (offset: number) => void;
  /** The writer can write no more. */
  readonly onFailed: (error: AstromeshError) => void;
}

interface Entry {
  readonly change: RunChange;
  readonly resolve: () => void;
  readonly reject: (error: AstromeshError) => void;
}

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1_000;

const nothing = (): void => {};

/** Creates the writer of one attempt. */
export function createJournalWriter(deps: JournalWriterDeps): JournalWriter {
  const stopped = new AbortController();
  const queue = createWriteQueue(deps, stopped);
  let flushArmed = false;

  const write = (change: RunChange): Promise<void> =>
    new Promise((resolve, reject) => queue.push({ change, resolve, reject }, "now"));

  const armFlush = (): void => {
    if (flushArmed) return;
    flushArmed = true;
    const due = (): void => {
      flushArmed = false;
      queue.flush();
    };
    deps.clock.sleep(deps.streamFlushMs, stopped.signal).then(due, nothing);
  };

  return {
    write,
    defer: (change) => queue.push({ change, resolve: nothing, reject: nothing }, "soon"),
    log: (event) => {
      if (queue.log(event) >= deps.streamFlushEvents) queue.flush();
      else armFlush();
    },
    close: (reason) => queue.fail(reason),
  };
}

/** What is handed over and not durable yet, and the loop that makes it so. */
function createWriteQueue(deps: JournalWriterDeps, stopped: AbortController) {
  const persist = createPersist(deps, stopped.signal);
  let queue: Entry[] = [];
  let events: StreamEvent[] = [];
  let failure: AstromeshError | null = null;
  let writing = false;
  let soon = false;
  let flushDue = false;

  const fail = (error: AstromeshError): void => {
    failure ??= error;
    stopped.abort(failure);
    for (const entry of queue.splice(0)) entry.reject(failure);
    events = [];
  };

  /** Writes all that is there; what comes meanwhile is in the next round (W2). */
  const pump = async (): Promise<void> => {
    soon = false;
    if (writing) return;
    writing = true;
    while (queue.length > 0 || (flushDue && events.length > 0)) {
      flushDue = false;
      const { batch, rest } = takeBatch(queue);
      const said = events;
      queue = rest;
      events = [];
      try {
        await persist(mergeChanges([...batch.map((entry) => entry.change), { stream: said }]));
        deps.onLogged(said.at(-1)?.offset ?? 0);
        for (const entry of batch) entry.resolve();
      } catch (thrown) {
        const error = toAstromeshError(thrown);
        for (const entry of batch) entry.reject(error);
        if (failure === null) deps.onFailed(error);
        fail(error);
      }
    }
    writing = false;
  };

  return {
    fail,
    push: (entry: Entry, when: "now" | "soon"): void => {
      if (failure !== null) {
        entry.reject(failure);
        return;
      }
      queue.push(entry);
      if (writing) return;
      if (when === "now") queueMicrotask(() => void pump());
      else if (!soon) {
        soon = true;
        setImmediate(() => void pump());
      }
    },
    /** Keeps an event for the next write; returns how many are kept. */
    log: (event: StreamEvent): number => {
      if (failure === null) events.push(event);
      return events.length;
    },
    /** Writes the events that no other write has taken along. */
    flush: (): void => {
      flushDue = true;
      void pump();
    },
  };
}

/** Only one effect key fits into a change: a second one waits for the next write. */
function takeBatch(queue: readonly Entry[]): { batch: Entry[]; rest: Entry[] } {
  let keys = 0;
  const end = queue.findIndex((entry) => entry.change.completeEffectKey !== undefined && (keys += 1) > 1);
  return end < 0 ? { batch: [...queue], rest: [] } : { batch: queue.slice(0, end), rest: queue.slice(end) };
}

/** Writes one change, waiting out a store in trouble for as long as the lease holds (W4). */
function createPersist(deps: JournalWriterDeps, signal: AbortSignal): (change: RunChange) => Promise<void> {
  const { store, clock, guard } = deps;
  let head = deps.headSeq;

  const landed = async (change: RunChange): Promise<boolean> => {
    const run = await store.get(guard.runId);
    if (run === null || run.epoch !== guard.epoch) return false;
    if (change.patch?.status !== undefined) return run.status !== "running";
    if ((change.records?.length ?? 0) > 0) return run.headSeq > head;
    const last = change.stream?.at(-1);
    return last !== undefined && (await store.streamHead(guard.runId)) >= last.offset;
  };

  const attempt = async (change: RunChange, again: boolean): Promise<void> => {
    if (again && (await landed(change))) head += change.records?.length ?? 0;
    else if (isStreamOnly(change)) await store.appendStream(guard, change.stream ?? []);
    else head = await store.append(guard, change);
  };

  return async (change) => {
    if (isEmptyChange(change)) return;
    for (let tries = 0; ; tries += 1) {
      try {
        await attempt(change, tries > 0);
        return;
      } catch (thrown) {
        const error = toAstromeshError(thrown);
        if (!isStoreTrouble(error) || clock.monotonic() >= deps.leaseEnd()) throw error;
      }
      const delayMs = Math.min(RETRY_FIRST_MS * 2 ** tries, RETRY_MAX_MS) * (0.5 + deps.random() / 2);
      await clock.sleep(delayMs, signal);
    }
  };
}

/** True when the store itself is at fault and the same call may succeed later. */
export function isStoreTrouble(error: AstromeshError): boolean {
  return error.code === "store_unavailable" || error.code === "store_full";
}
