import { isFinal } from "../core/index.ts";
import type { RunEvent, StreamEvent } from "../core/index.ts";
import type { RunStore } from "../core/ports/index.ts";

/** The last event that a client has seen. */
export interface StreamCursor {
  readonly attempt: number;
  readonly offset: number;
}

/**
 * True when the log's event at the cursor is the one that the client saw. Attempts only grow along a log, so an event
 * of a later attempt at that offset means that the client's died with its owner.
 */
export async function isLogged(
  store: Pick<RunStore, "readStream">,
  runId: string,
  { attempt, offset }: StreamCursor,
): Promise<boolean> {
  return offset === 0 || (await seenAt(store, runId, { attempt, offset })) !== null;
}

/** True when the client has seen the run's end. */
export async function isAtEnd(
  store: Pick<RunStore, "readStream">,
  runId: string,
  cursor: StreamCursor,
): Promise<boolean> {
  const seen = await seenAt(store, runId, cursor);
  return seen !== null && isFinal(seen.event);
}

/** The log's event at the cursor, if it is the one that the client saw there. */
async function seenAt(
  store: Pick<RunStore, "readStream">,
  runId: string,
  { attempt, offset }: StreamCursor,
): Promise<StreamEvent | null> {
  const [event] = await store.readStream(runId, offset - 1, 1);
  return event?.offset === offset && event.attempt <= attempt ? event : null;
}

/** The last event at or before the cursor that both the client and the log have. */
export async function lastShared(
  store: Pick<RunStore, "readStream" | "streamHead">,
  runId: string,
  cursor: StreamCursor,
): Promise<StreamCursor> {
  const { attempt } = cursor;
  let low = 0;
  let high = Math.min(cursor.offset, await store.streamHead(runId));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (await isLogged(store, runId, { attempt, offset: middle })) low = middle;
    else high = middle - 1;
  }
  return { attempt, offset: low };
}

/** An event that the log does not hold, made for one reader. */
export function eventAt(runId: string, cursor: StreamCursor, at: number, event: RunEvent): StreamEvent {
  return { runId, ...cursor, at, event };
}
