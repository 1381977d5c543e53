import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";

/**
 * Reads a response's server-sent events. Leaving the loop closes the connection; a connection that breaks throws what
 * fetch's body throws.
 */
export async function* readEvents(response: Response): AsyncGenerator<EventSourceMessage, void> {
  if (response.body === null) return;
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void arrived.push(event) });
  const decoder = new TextDecoder();
  // A reader, since not every browser can iterate a stream.
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* arrived.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
