import type { RunStreamEvent } from "./run-events.ts";
import type { RunEvent } from "./types.ts";

/** The text that a run has said so far. */
export interface TextFold {
  readonly text: string;
  /** Takes an event; returns the text after it. A `retract` takes back what it voids. */
  apply(item: RunStreamEvent): string;
}

/** Folds a run's events to text. `thread` keeps to one thread of the run; absent takes all. */
export function createTextFold(options: { readonly thread?: string } = {}): TextFold {
  let pieces: { readonly offset: number; readonly text: string }[] = [];
  let text = "";
  return {
    get text() {
      return text;
    },
    apply({ offset, event }) {
      if (event.type === "token" && (options.thread === undefined || event.thread === options.thread)) {
        pieces.push({ offset, text: event.text });
        text += event.text;
      } else if (event.type === "retract") {
        pieces = pieces.filter((piece) => piece.offset <= event.to);
        text = pieces.map((piece) => piece.text).join("");
      }
      return text;
    },
  };
}

/** What a run said, and how it ended. */
export interface CollectedText {
  readonly text: string;
  /** The last event: `done` or `error`; null when the events ended before the run did. */
  readonly end: Extract<RunEvent, { type: "done" | "error" }> | null;
}

/** Reads a run's events to their end. */
export async function collectText(events: AsyncIterable<RunStreamEvent>): Promise<CollectedText> {
  const fold = createTextFold();
  let end: CollectedText["end"] = null;
  for await (const item of events) {
    fold.apply(item);
    if (item.event.type === "done" || item.event.type === "error") end = item.event;
  }
  return { text: fold.text, end };
}
