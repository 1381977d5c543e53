import { readSse } from "../net/index.ts";
import type { SilenceWatch, SseEvent } from "../net/index.ts";

/** The other side says something every 5 s, if only a comment; a process that is stopped says nothing. Milliseconds. */
export const STREAM_SILENCE_MS = 15_000;
const MAX_EVENT_CHARS = 64 * 1_048_576;

/** The events of another node's stream. Every chunk counts as a sign of life, a comment too. */
export function readPeerStream(
  body: AsyncIterable<Uint8Array>,
  silence: SilenceWatch,
): AsyncGenerator<readonly SseEvent[]> {
  return readSse(heard(body, silence), MAX_EVENT_CHARS);
}

async function* heard(body: AsyncIterable<Uint8Array>, silence: SilenceWatch): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    silence.heard();
    yield chunk;
  }
}
