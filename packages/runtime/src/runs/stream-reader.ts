/**
 * A client's way through a run's stream: the log first, then live, back to the log when it falls behind, and through
 * every death and takeover of the run's owner (S1 to S3 of streams.ts).
 */
import { isEnded, isFinal } from "../core/index.ts";
import type { Clock, Run, RunEvent, StreamEvent } from "../core/index.ts";
import type { RunStore } from "../core/ports/index.ts";
import type { Streams, Subscription } from "./streams.ts";

/** The last event that a client has seen. */
export interface StreamCursor {
  readonly attempt: number;
  readonly offset: number;
}

/** What a reader works with. */
export interface StreamReaderDeps {
  readonly store: Pick<RunStore, "get" | "readStream" | "streamHead">;
  readonly streams: Streams;
  readonly clock: Clock;
  /** How often the log is read while the run works elsewhere or waits. Milliseconds. */
  readonly pollMs: number;
}

const PAGE_EVENTS = 256;

/**
 * Events after a cursor until the run's final one. A final event that retention has swept is made again from the
 * run's row. Ends early only when `signal` aborts.
 */
export async function* readEvents(
  deps: StreamReaderDeps,
  runId: string,
  after: StreamCursor | null,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const reader = createReader(deps, runId, after ?? { attempt: 0, offset: 0 });
  while (!signal.aborted) {
    const subscription = deps.streams.subscribe(runId);
    try {
      for await (const event of reader.pass(subscription, signal)) {
        yield event;
        if (isFinal(event.event)) return;
      }
    } finally {
      subscription.close();
    }
  }
}

function createReader(deps: StreamReaderDeps, runId: string, start: StreamCursor) {
  const { store, clock } = deps;
  let cursor = start;

  const isMine = async (offset: number): Promise<boolean> => {
    if (offset === 0) return true;
    const [event] = await store.readStream(runId, offset - 1, 1);
    return event?.offset === offset && event.attempt <= cursor.attempt;
  };

  /** Moves the cursor back to the last event that both the client and the log have; null when it stands there. */
  const anchor = async (): Promise<StreamEvent | null> => {
    if (await isMine(cursor.offset)) return null;
    let low = 0;
    let high = Math.min(cursor.offset - 1, await store.streamHead(runId));
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (await isMine(middle)) low = middle;
      else high = middle - 1;
    }
    cursor = { attempt: cursor.attempt, offset: low };
    return said(cursor, { type: "retract", to: low, reason: "the attempt that said more has died" });
  };

  const said = (at: StreamCursor, event: RunEvent): StreamEvent => ({ runId, ...at, at: clock.now(), event });

  /** True when the event is the next one; moves the cursor onto it. */
  const advance = (event: StreamEvent): boolean => {
    if (event.offset !== cursor.offset + 1) return false;
    cursor = { attempt: event.attempt, offset: event.offset };
    return true;
  };

  async function* fromLog(): AsyncGenerator<StreamEvent> {
    for (;;) {
      const page = await store.readStream(runId, cursor.offset, PAGE_EVENTS);
      for (const event of page) {
        if (event.attempt > cursor.attempt && cursor.offset > 0 && cursor.attempt > 0) {
          const retract = await anchor();
          if (retract !== null) {
            yield retract;
            break;
          }
        }
        // A log that was swept begins later than at 1.
        if (event.offset > cursor.offset) cursor = { attempt: event.attempt, offset: event.offset };
        yield event;
      }
      if (page.length < PAGE_EVENTS && page.at(-1)?.offset === cursor.offset) return;
      if (page.length === 0) return;
    }
  }

  /** Live events until the reader falls behind, the attempt ends or another begins. */
  async function* fromHub(subscription: Subscription, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const attempt = subscription.attempt();
    while (!signal.aborted && !subscription.overflowed()) {
      for (const event of subscription.take()) {
        if (event.attempt > cursor.attempt && !(await isMine(cursor.offset))) return;
        if (event.offset <= cursor.offset) continue;
        if (!advance(event)) return;
        yield event;
      }
      if (subscription.attempt() !== attempt) return;
      await subscription.changed(signal);
    }
  }

  async function* pass(subscription: Subscription, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    if (subscription.attempt() !== cursor.attempt) {
      const retract = await anchor();
      if (retract !== null) yield retract;
    }
    yield* fromLog();
    if (subscription.attempt() !== null) {
      yield* fromHub(subscription, signal);
      return;
    }
    const run = await store.get(runId);
    if (run === null || isEnded(run.status)) {
      yield* fromLog();
      if (run !== null) yield said({ attempt: run.attempt, offset: cursor.offset + 1 }, finalEventOf(run));
      return;
    }
    await pause(subscription, signal);
  }

  const pause = async (subscription: Subscription, signal: AbortSignal): Promise<void> => {
    const over = new AbortController();
    clock.sleep(deps.pollMs, over.signal).then(subscription.poke, () => {});
    await subscription.changed(signal);
    over.abort();
  };

  return { pass };
}

/** The event that ends the stream of an ended run, from its row. */
export function finalEventOf(run: Pick<Run, "status" | "stopReason" | "response" | "usage" | "error">): RunEvent {
  if (run.status === "failed" && run.error !== null) return { type: "error", error: run.error };
  return {
    type: "done",
    status: run.status,
    stopReason: run.stopReason ?? "error",
    response: run.response ?? "",
    usage: run.usage,
  };
}
