import { createTextFold } from "@astromesh/client";
import type { RunStreamEvent } from "@astromesh/client";

import type { Scenario } from "./scenarios.ts";

/** What a client has seen of a run's stream, over all its connections. */
export interface Seen {
  /** The id of the last event; null before the first. */
  lastId(): string | null;
  text(): string;
  /** Tool calls and results, as `tool_call id` and `tool_result id`, sorted. */
  calls(): readonly string[];
  /** What the stream did that it must not. */
  faults(): readonly string[];
  take(item: RunStreamEvent): void;
}

/** One request for a run, and all that its client knows of it. */
export interface Order {
  readonly tag: string;
  readonly scenario: Scenario;
  readonly idempotencyKey: string;
  readonly traceId: string;
  readonly sessionId: string | null;
  /** What the client answers when it is asked for an approval. */
  readonly approves: boolean;
  /** The run ids that the node gave for the key: there must be one. */
  readonly runIds: Set<string>;
  readonly seen: Seen;
  cancelled: boolean;
  /** Answers that no retry can mend. */
  readonly refusals: string[];
  /** Keys of calls that a person let the run make again, or said had not happened. */
  readonly retried: string[];
  readonly abandoned: string[];
}

/** The run of an order that was accepted. */
export function runIdOf(order: Order): string {
  const [runId] = order.runIds;
  if (runId === undefined) throw new Error(`${order.tag} was not accepted`);
  return runId;
}

/** A client's view of a stream, empty. */
export function createSeen(): Seen {
  const fold = createTextFold({ thread: "main" });
  const faults: string[] = [];
  let calls: { readonly offset: number; readonly what: string }[] = [];
  let last: RunStreamEvent | null = null;
  return {
    lastId: () => last?.id ?? null,
    text: () => fold.text,
    calls: () => calls.map(({ what }) => what).toSorted(),
    faults: () => faults,
    take: (item) => {
      const expected = (last?.offset ?? 0) + 1;
      const back = item.event.type === "retract" && item.offset < expected;
      if (item.offset !== expected && !back) faults.push(`${item.id} came where ${expected} was expected`);
      if (last !== null && item.attempt < last.attempt && !back) faults.push(`${item.id} came after ${last.id}`);
      last = item;
      fold.apply(item);
      const { event, offset } = item;
      if (event.type === "retract") calls = calls.filter((call) => call.offset <= event.to);
      if (event.type === "tool_call" || event.type === "tool_result") {
        calls.push({ offset, what: `${event.type} ${event.id}` });
      }
    },
  };
}
