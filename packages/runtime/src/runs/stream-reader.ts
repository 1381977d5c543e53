/**
 * A client's way through a run's stream: the log first, then live, back to the log when it falls behind, and through
 * every death and takeover of the run's owner (S1 to S3 of streams.ts).
 */
import { isEnded, isFinal } from "../core/index.ts";
import type { Clock, Run, RunEvent, StreamEvent } from "../core/index.ts";
import type { RunStore } from "../core/ports/index.ts";
import { eventAt, isAtEnd, isLogged, lastShared } from "./stream-cursor.ts";
import type { StreamCursor } from "./stream-cursor.ts";
import type { Streams, Subscription } from "./streams.ts";

/** What a reader works with. */
export interface StreamReaderDeps {
  readonly store: Pick<RunStore, "get" | "readStream" | "streamHead">;
  readonly streams: Streams;
  readonly clock: Clock;
  /** How often the log is read while the run works elsewhere. Milliseconds. */
  readonly pollMs: number;
}

const PAGE_EVENTS = 256;

/** A run that waits is looked at less often, by this factor: when it goes on here, its reader hears of it at once. */
const IDLE_POLLS = 5;

/**
 * Events after a cursor until the run's final one; none when the cursor stands on that. A final event that retention
 * has swept is made again from the run's row. Ends early only when `signal` aborts.
 */
export async function* readEvents(
  deps: StreamReaderDeps,
  runId: string,
  after: StreamCursor | null,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  if (after !== null && (await isAtEnd(deps.store, runId, after))) return;
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

  /** Goes back to the last event that is not void, and tells the client so; null when it stands on one. */
  const stepBack = async (): Promise<StreamEvent | null> => {
    if (await isLogged(store, runId, cursor)) return null;
    cursor = await lastShared(store, runId, cursor);
    const reason = "the attempt that said more has died";
    return eventAt(runId, cursor, clock.now(), { type: "retract", to: cursor.offset, reason });
  };

  const moveTo = (event: StreamEvent): void => {
    cursor = { attempt: event.attempt, offset: event.offset };
  };

  async function* fromLog(): AsyncGenerator<StreamEvent> {
    for (;;) {
      const page = await store.readStream(runId, cursor.offset, PAGE_EVENTS);
      for (const event of page) {
        const retract = event.attempt > cursor.attempt ? await stepBack() : null;
        if (retract !== null) {
          yield retract;
          break;
        }
        moveTo(event);
        yield event;
      }
      const last = page.at(-1);
      if (last === undefined || (page.length < PAGE_EVENTS && last.offset === cursor.offset)) return;
    }
  }

  /** Live events, until the reader falls behind or the attempt that speaks is another. */
  async function* fromHub(subscription: Subscription, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const attempt = subscription.attempt();
    while (!signal.aborted && !subscription.overflowed()) {
      for (const event of subscription.take()) {
        if (event.attempt > cursor.attempt && !(await isLogged(store, runId, cursor))) return;
        if (event.offset <= cursor.offset) continue;
        if (event.offset > cursor.offset + 1) return;
        moveTo(event);
        yield event;
      }
      if (subscription.attempt() !== attempt) return;
      await subscription.changed(signal);
    }
  }

  async function* pass(subscription: Subscription, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const retract = subscription.attempt() === cursor.attempt ? null : await stepBack();
    if (retract !== null) yield retract;
    yield* fromLog();
    if (subscription.attempt() !== null) {
      yield* fromHub(subscription, signal);
      return;
    }
    const run = await store.get(runId);
    if (run === null || isEnded(run.status)) {
      yield* fromLog();
      const end = { attempt: run?.attempt ?? cursor.attempt, offset: cursor.offset + 1 };
      if (run !== null) yield eventAt(runId, end, clock.now(), finalEventOf(run));
      return;
    }
    await pause(subscription, run.status === "running" ? deps.pollMs : IDLE_POLLS * deps.pollMs, signal);
  }

  const pause = async (subscription: Subscription, delayMs: number, signal: AbortSignal): Promise<void> => {
    const over = new AbortController();
    const poke = (): void => subscription.poke();
    clock.sleep(delayMs, over.signal).then(poke, () => {});
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
