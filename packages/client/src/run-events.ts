import { apiErrorOf, AstromeshConnectionError } from "./errors.ts";
import { readEvents } from "./sse.ts";
import type { RunEvent } from "./types.ts";

/** An event at its place in a run's stream. */
export interface RunStreamEvent {
  /** `run_id:attempt:offset`: what to resume behind. */
  readonly id: string;
  readonly runId: string;
  /** The attempt that said it. */
  readonly attempt: number;
  readonly offset: number;
  readonly event: RunEvent;
}

/** How to watch a run. */
export interface WatchOptions {
  /** Begin behind this event's id, or behind an offset of the current attempt. Absent: at the run's beginning. */
  readonly after?: string | number;
  /** Ends the watching; the run goes on. The loop then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long to go on trying to connect again after a connection broke, in milliseconds. @default 60000 */
  readonly giveUpAfterMs?: number;
}

/** Opens the run's stream behind an event's id; `first` when nothing was received yet. */
type Open = (after: string | null, signal: AbortSignal | undefined) => Promise<Response>;

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;
/** Answers of a node, or of a proxy before it, that may be others in a moment. */
const PASSING = new Set([429, 502, 503, 504]);

/**
 * A run's events up to its end, over as many connections as it takes: when one breaks, the next goes on behind the
 * last event received. What a `retract` event voids is for the consumer to drop (see `createTextFold`).
 *
 * The first connection is tried once, so that a wrong address or id is an error at once.
 */
export async function* watchRun(
  open: Open,
  options: WatchOptions,
  first?: Response,
): AsyncGenerator<RunStreamEvent, void> {
  const { signal, giveUpAfterMs = 60_000 } = options;
  let last = options.after === undefined ? null : String(options.after);
  let response = first ?? (await open(last, signal));
  let lostAt: number | null = null;
  let delayMs = FIRST_DELAY_MS;
  for (;;) {
    if (response.status === 204) return;
    if (response.ok) {
      lostAt = null;
      try {
        for await (const message of readEvents(response)) {
          const item = toStreamEvent(message);
          if (item === null) continue;
          last = item.id;
          delayMs = FIRST_DELAY_MS;
          yield item;
          if (item.event.type === "done" || item.event.type === "error") return;
        }
      } catch {
        // The connection broke, unless the caller wished it to end.
        signal?.throwIfAborted();
      }
    } else if (!PASSING.has(response.status)) {
      throw await apiErrorOf(response);
    }
    lostAt ??= Date.now();
    const next = await reopen(open, last, { signal, delayMs, deadline: lostAt + giveUpAfterMs });
    response = next.response;
    delayMs = next.delayMs;
  }
}

/** Connects again, with growing pauses, until somebody answers or the deadline is over. */
async function reopen(
  open: Open,
  after: string | null,
  plan: { readonly signal: AbortSignal | undefined; readonly delayMs: number; readonly deadline: number },
): Promise<{ response: Response; delayMs: number }> {
  let { delayMs } = plan;
  for (;;) {
    await pause(delayMs, plan.signal);
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
    try {
      const response = await open(after, plan.signal);
      if (!PASSING.has(response.status) || Date.now() < plan.deadline) return { response, delayMs };
      throw await apiErrorOf(response);
    } catch (error) {
      const final = !(error instanceof AstromeshConnectionError) || Date.now() >= plan.deadline;
      if (final) throw error;
    }
  }
}

function toStreamEvent(message: { readonly id?: string | undefined; readonly data: string }): RunStreamEvent | null {
  const place = /^(.+):(\d+):(\d+)$/.exec(message.id ?? "");
  if (place === null) return null;
  const [id, runId = "", attempt, offset] = place;
  return { id, runId, attempt: Number(attempt), offset: Number(offset), event: JSON.parse(message.data) as RunEvent };
}

function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
