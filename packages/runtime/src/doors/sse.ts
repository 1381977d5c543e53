import type { Clock } from "../core/index.ts";

/** One server-sent event. */
export interface SseFrame {
  /** What a client sends back as `Last-Event-ID`. */
  readonly id?: string;
  readonly event: string;
  /** JSON text, so it holds no line break. */
  readonly data: string;
}

/** How a stream is served. */
export interface SseOptions {
  readonly clock: Clock;
  /** How long a stream may be silent before a comment is sent, in milliseconds. @default 15000 */
  readonly keepAliveMs: number;
  /** Aborts when the node shuts down: the stream ends with a comment. */
  readonly closing: AbortSignal;
  /** The client left before the stream's end. */
  readonly onDisconnect?: () => void;
  /** The source failed in mid-stream; the client sees the connection end and comes back. */
  readonly onError: (error: unknown) => void;
}

/** The headers of a server-sent stream. `X-Accel-Buffering` keeps nginx from holding events back. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** Writes a frame. */
export function formatFrame(frame: SseFrame): string {
  const id = frame.id === undefined ? "" : `id: ${frame.id}\n`;
  return `${id}event: ${frame.event}\ndata: ${frame.data}\n\n`;
}

/** The reader's side of a stream: text is handed over only while the reader waits for some. */
interface Outlet {
  readonly wanted: boolean;
  readonly ended: boolean;
  /** False when the reader does not wait: the text was not taken. */
  offer(text: string): boolean;
  /** Ends the stream, with a last text that waits for the reader if need be. */
  end(farewell: string): void;
  /** The reader has left: it must not be handed anything any more. */
  drop(): void;
  /** The reader waits: hands it the next text, or the end. */
  serve(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void>;
}

function createOutlet(): Outlet {
  const encoder = new TextEncoder();
  let demand: ((text: string) => void) | null = null;
  let farewell: string | null = null;
  const offer = (text: string): boolean => {
    const take = demand;
    demand = null;
    take?.(text);
    return take !== null;
  };
  return {
    get wanted() {
      return demand !== null;
    },
    get ended() {
      return farewell !== null;
    },
    offer,
    end(text) {
      if (farewell !== null) return;
      farewell = text;
      if (offer(text)) farewell = "";
    },
    drop() {
      demand = null;
      farewell ??= "";
    },
    serve(controller) {
      return new Promise((resolve) => {
        demand = (text) => {
          if (text !== "") controller.enqueue(encoder.encode(text));
          if (farewell !== null) controller.close();
          resolve();
        };
        if (farewell !== null) offer(farewell);
      });
    },
  };
}

/**
 * Serves events as a byte stream. Nothing is asked of the source before the reader has taken what came before, so a
 * reader that is slow or stands still costs one event of memory. The source's signal aborts when the stream ends or
 * the reader leaves.
 */
export function sseStream(
  open: (signal: AbortSignal) => AsyncIterable<SseFrame>,
  options: SseOptions,
): ReadableStream<Uint8Array> {
  const outlet = createOutlet();
  const abort = new AbortController();
  const source = open(abort.signal)[Symbol.asyncIterator]();
  /** The source's next item; kept while a keep-alive has already answered the reader. */
  let next: Promise<void> | null = null;
  let arrived: IteratorResult<SseFrame> | null = null;

  const finish = (farewell: string): void => {
    outlet.end(farewell);
    if (abort.signal.aborted) return;
    options.closing.removeEventListener("abort", onClosing);
    abort.abort();
    source.return?.().catch(() => undefined);
  };
  const onClosing = (): void => finish(": the node is shutting down, connect again\n\n");
  const deliver = (): void => {
    if (arrived === null || !outlet.wanted) return;
    const item = arrived;
    arrived = null;
    next = null;
    if (item.done === true) finish("");
    else outlet.offer(formatFrame(item.value));
  };
  const ask = async (): Promise<void> => {
    try {
      arrived = await source.next();
      deliver();
    } catch (error) {
      if (!outlet.ended) options.onError(error);
      finish("");
    }
  };
  const keepAlive = async (): Promise<void> => {
    for (;;) {
      await options.clock.sleep(options.keepAliveMs, abort.signal);
      outlet.offer(": keep-alive\n\n");
    }
  };

  let begun = false;
  /** Nothing is set going for a stream that nobody reads, such as the one behind a HEAD request. */
  const begin = (): void => {
    begun = true;
    // Ends when the signal aborts: the clock's sleep rejects.
    keepAlive().catch(() => undefined);
    options.closing.addEventListener("abort", onClosing, { once: true });
    if (options.closing.aborted) onClosing();
  };

  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (!begun) begin();
        const served = outlet.serve(controller);
        if (!outlet.ended) {
          next ??= ask();
          deliver();
        }
        return served;
      },
      cancel() {
        if (!outlet.ended) options.onDisconnect?.();
        outlet.drop();
        finish("");
      },
    },
    { highWaterMark: 0 },
  );
}
