import type { RunEvent, RunStreamEvent } from "@astromesh/client";

import type { Session } from "../session.ts";

/**
 * Prints a run's events as they come: text as it is said, tool calls and waits on lines of their own. With --json,
 * one event a line. Text that a later attempt takes back cannot be wiped from a terminal, so that is said.
 */
export async function printEvents(session: Session, events: AsyncIterable<RunStreamEvent>): Promise<void> {
  let inText = false;
  for await (const { id, event } of events) {
    if (session.json) {
      session.io.out(`${JSON.stringify({ id, ...event })}\n`);
    } else if (event.type === "token") {
      session.io.out(event.text);
      inText = true;
    } else {
      const line = describe(session, event);
      if (line === null) continue;
      session.io.out(`${inText ? "\n" : ""}${line}\n`);
      inText = false;
    }
  }
  if (inText) session.io.out("\n");
}

function describe(session: Session, event: Exclude<RunEvent, { type: "token" }>): string | null {
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
      return style.bad(`error: ${event.detail}`);
    case "done":
      return event.status === "completed" ? null : style.warn(`[${event.status}: ${event.stop_reason}]`);
  }
}
