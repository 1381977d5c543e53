import type { Message } from "../../core/index.ts";
import type { RunStore } from "../../core/ports/index.ts";

/** The messages of a run's threads, kept in memory while an attempt works. */
export interface Threads {
  /** Messages [from, to) of a thread that are there; places whose effect failed for good stay empty. */
  read(thread: string, from: number, to: number): Promise<readonly Message[]>;
  at(thread: string, index: number): Promise<Message | null>;
  put(thread: string, index: number, message: Message): void;
  /** The journal says that the thread reaches this far, so that it is read in one go. */
  expect(thread: string, length: number): void;
}

interface CachedThread {
  readonly messages: (Message | undefined)[];
  /** Below this the store was asked. */
  loaded: number;
  expected: number;
}

/** @param fresh nothing of the run is in the store yet, so it need not be asked. */
export function createThreads(store: Pick<RunStore, "thread">, runId: string, fresh: boolean): Threads {
  const threads = new Map<string, CachedThread>();
  const cached = (name: string): CachedThread => {
    const known = threads.get(name) ?? { messages: [], loaded: 0, expected: 0 };
    threads.set(name, known);
    return known;
  };

  /**
   * The store gives messages without their places. A thread with an empty place (a parallel tool call whose outcome
   * is still open) is read in halves until every part is either whole or one empty place.
   */
  const load = async (name: string, from: number, to: number, into: (Message | undefined)[]): Promise<void> => {
    if (from >= to) return;
    const found = await store.thread(runId, name, from, to);
    if (found.length === to - from) {
      for (const [offset, message] of found.entries()) into[from + offset] ??= message;
    } else if (found.length > 0) {
      const middle = from + Math.ceil((to - from) / 2);
      await load(name, from, middle, into);
      await load(name, middle, to, into);
    }
  };

  const upTo = async (name: string, to: number): Promise<CachedThread> => {
    const thread = cached(name);
    if (!fresh && thread.loaded < to) {
      const end = Math.max(to, thread.expected);
      await load(name, thread.loaded, end, thread.messages);
      thread.loaded = Math.max(thread.loaded, end);
    }
    return thread;
  };

  return {
    read: async (name, from, to) => {
      const thread = await upTo(name, to);
      return thread.messages.slice(from, to).filter((message) => message !== undefined);
    },
    at: async (name, index) => (await upTo(name, index + 1)).messages[index] ?? null,
    put: (name, index, message) => {
      cached(name).messages[index] = message;
    },
    expect: (name, length) => {
      const thread = cached(name);
      thread.expected = Math.max(thread.expected, length);
    },
  };
}
