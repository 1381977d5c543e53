import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";

/** One server-sent event. */
export interface SseEvent {
  /** Its name; null when it has none. */
  readonly event: string | null;
  readonly id: string | null;
  readonly data: string;
}

/**
 * The events of a server-sent event stream, those of one chunk together. Comments (keep-alives) are not events. An
 * event cut off by the end of the stream is dropped, as the standard says.
 *
 * @param limitChars an event longer than this throws RangeError instead of filling the memory
 */
export async function* readSse(
  body: AsyncIterable<Uint8Array>,
  limitChars: number,
): AsyncGenerator<readonly SseEvent[]> {
  const decoder = new TextDecoder();
  let batch: SseEvent[] = [];
  let tooLong = false;
  const parser = createParser({
    maxBufferSize: limitChars,
    onEvent: (message: EventSourceMessage) => {
      batch.push({ event: message.event ?? null, id: message.id ?? null, data: message.data });
    },
    onError: (error) => {
      tooLong ||= error.type === "max-buffer-size-exceeded";
    },
  });
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (tooLong) throw new RangeError(`an event is longer than ${limitChars} characters`);
    if (batch.length === 0) continue;
    const events = batch;
    batch = [];
    yield events;
  }
}
