import type { RunEventBody } from "../../wire/index.ts";
import type { Session } from "../session.ts";

/** What a watcher needs to know of how the stream ended. */
export interface WatchEnd {
  /** The last event, or null when the reader stopped first. */
  readonly last: RunEventBody | null;
}

/**
 * Prints a run's events as they come: text as it is said, tool calls and waits on lines of their own. With --json,
 * one event a line. Text that a later attempt takes back cannot be wiped from a terminal, so that is said.
 */
export async function printEvents(session: Session, events: AsyncIterable<RunEventBody>): Promise<WatchEnd> {
  let last: RunEventBody | null = null;
  let inText = false;
  const line = (text: string): void => {
    session.io.out(`${inText ? "\n" : ""}${text}\n`);
    inText = false;
  };
  for await (const event of events) {
    last = event;
    if (session.json) {
      session.io.out(`${JSON.stringify(event)}\n`);
    } else if (event.type === "token") {
      session.io.out(event.text);
      inText = true;
    } else {
      const text = describe(session, event);
      if (text !== null) line(text);
    }
  }
  if (inText) session.io.out("\n");
  return { last };
}

function describe(session: Session, event: Exclude<RunEventBody, { type: "token" }>): string | null {
  const { style } = session;
  switch (event.type) {
    case "run.started":
      return event.attempt > 1 ? style.dim(`[attempt ${event.attempt}]`) : null;
    case "tool_call":
      return style.dim(`→ ${event.name}(${JSON.stringify(event.arguments)})`);
    case "tool_result":
      return style.dim(`${event.ok ? "←" : "✗"} ${event.name}: ${event.preview}`);
    case "waiting":
      return style.warn(`[waiting: ${event.reason}]`);
    case "retract":
      return style.warn(`[the text since offset ${event.to} is taken back: ${event.reason}]`);
    case "error":
      return style.bad(`error: ${event.error.message}`);
    case "done":
      return event.status === "completed" ? null : style.warn(`[${event.status}: ${event.stop_reason}]`);
  }
}
