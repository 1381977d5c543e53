/**
 * What runs say while they work, for those who watch on this node.
 *
 * S1 Offsets of a run grow by one over all of its attempts. What an attempt said and did not make durable is void when
 *    it dies, and its offsets are used again by the next; `retract` tells readers.
 * S2 A watcher gets an event at once. It never holds the run up: one that falls behind is cut off and reads the log.
 * S3 The final event is published after the run's end is durable, never before.
 */
import type { RunEvent, StreamEvent } from "../core/index.ts";

/** What one attempt says. */
export interface RunStream {
  /** The last offset used. */
  head(): number;
  /** Says an event; `source` tells the effects apart that speak at the same time. */
  emit(event: RunEvent, source?: string): void;
  /** Gives the event its place without telling anybody yet (S3). */
  seal(event: RunEvent): StreamEvent;
  publish(sealed: StreamEvent): void;
  /** From now on what is said is remembered, so that a source may take back its own words; ends when called, once. */
  hold(): () => void;
  /** Takes back what `source` said after an offset; what others said meanwhile is said again. */
  retract(to: number, source: string, reason: string): void;
  /** The log holds everything up to here. */
  logged(offset: number): void;
  /** The attempt is over. */
  close(): void;
}

/** One watcher's view of a run. */
export interface Subscription {
  /** What has come since the last call. */
  take(): StreamEvent[];
  /** The attempt that speaks now; null when none does on this node. */
  attempt(): number | null;
  /** True when the watcher fell behind: it must read the log and subscribe again. */
  overflowed(): boolean;
  /** Resolves at the next event or change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  /** Lets `changed` resolve. */
  poke(): void;
  close(): void;
}

/** The streams of the runs that work on this node. */
export interface Streams {
  open(begin: {
    readonly runId: string;
    readonly attempt: number;
    readonly head: number;
    /** Takes what is said to the log. */
    readonly log: (event: StreamEvent) => void;
  }): RunStream;
  subscribe(runId: string): Subscription;
  /** How many watchers there are. */
  watchers(): number;
}

interface Watcher {
  push(event: StreamEvent): void;
  wake(): void;
}

interface Spoken {
  readonly attempt: number;
  /** Said and not yet in the log. */
  readonly unlogged: StreamEvent[];
}

/** Creates the hub of a node. */
export function createStreams(deps: { readonly now: () => number; readonly bufferEvents: number }): Streams {
  const speaking = new Map<string, Spoken>();
  const watchers = new Map<string, Set<Watcher>>();

  const open: Streams["open"] = (begin) => {
    const spoken: Spoken = { attempt: begin.attempt, unlogged: [] };
    speaking.set(begin.runId, spoken);
    for (const watcher of watchers.get(begin.runId) ?? []) watcher.wake();
    return createRunStream(begin, deps.now, spoken, {
      tell: (event) => {
        for (const watcher of watchers.get(begin.runId) ?? []) watcher.push(event);
      },
      closed: () => {
        if (speaking.get(begin.runId) === spoken) speaking.delete(begin.runId);
        for (const watcher of watchers.get(begin.runId) ?? []) watcher.wake();
      },
    });
  };

  const subscribe: Streams["subscribe"] = (runId) => {
    const spoken = speaking.get(runId);
    const { watcher, subscription } = createSubscription(deps.bufferEvents, spoken?.unlogged ?? [], () => {
      const set = watchers.get(runId);
      set?.delete(watcher);
      if (set?.size === 0) watchers.delete(runId);
    });
    const set = watchers.get(runId) ?? new Set();
    watchers.set(runId, set.add(watcher));
    return { ...subscription, attempt: () => speaking.get(runId)?.attempt ?? null };
  };

  return {
    open,
    subscribe,
    watchers: () => [...watchers.values()].reduce((sum, set) => sum + set.size, 0),
  };
}

function createRunStream(
  begin: Parameters<Streams["open"]>[0],
  now: () => number,
  spoken: Spoken,
  hub: { readonly tell: (event: StreamEvent) => void; readonly closed: () => void },
): RunStream {
  let head = begin.head;
  let closed = false;
  let holds = 0;
  let held: { readonly said: StreamEvent; readonly source: string }[] = [];

  const seal = (event: RunEvent): StreamEvent => {
    head += 1;
    return { runId: begin.runId, attempt: begin.attempt, offset: head, at: now(), event };
  };
  const emit = (event: RunEvent, source = ""): void => {
    if (closed) return;
    const said = seal(event);
    if (holds > 0) held.push({ said, source });
    spoken.unlogged.push(said);
    begin.log(said);
    hub.tell(said);
  };

  return {
    head: () => head,
    emit,
    seal,
    publish: hub.tell,
    hold: () => {
      holds += 1;
      return () => {
        holds -= 1;
        if (holds === 0) held = [];
      };
    },
    retract: (to, source, reason) => {
      if (head <= to) return;
      const again = held.filter((entry) => entry.said.offset > to && entry.source !== source);
      held = held.filter((entry) => entry.said.offset <= to);
      emit({ type: "retract", to, reason }, source);
      for (const entry of again) emit(entry.said.event, entry.source);
    },
    logged: (offset) => {
      const first = spoken.unlogged.findIndex((event) => event.offset > offset);
      spoken.unlogged.splice(0, first < 0 ? spoken.unlogged.length : first);
    },
    close: () => {
      if (closed) return;
      closed = true;
      hub.closed();
    },
  };
}

function createSubscription(
  bufferEvents: number,
  unlogged: readonly StreamEvent[],
  onClose: () => void,
): { watcher: Watcher; subscription: Omit<Subscription, "attempt"> } {
  let buffer: StreamEvent[] = [...unlogged];
  let overflowed = false;
  let stirred = false;
  let wakeUp: (() => void) | null = null;
  const wake = (): void => {
    stirred = true;
    wakeUp?.();
  };
  const watcher: Watcher = {
    wake,
    push: (event) => {
      if (overflowed) return;
      if (buffer.length >= bufferEvents + unlogged.length) {
        overflowed = true;
        buffer = [];
      } else buffer.push(event);
      wake();
    },
  };
  const take = (): StreamEvent[] => {
    const taken = buffer;
    buffer = [];
    return taken;
  };
  const changed = async (signal: AbortSignal): Promise<void> => {
    if (!stirred && !signal.aborted) {
      signal.addEventListener("abort", wake);
      await new Promise<void>((resolve) => {
        wakeUp = resolve;
      });
      signal.removeEventListener("abort", wake);
    }
    wakeUp = null;
    stirred = false;
  };
  return { watcher, subscription: { take, overflowed: () => overflowed, changed, poke: wake, close: onClose } };
}
