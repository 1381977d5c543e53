/**
 * What careful people do around the node: they send a request again with the same key until somebody answers, agree
 * to payments or not, and say what became of a call when the node cannot know.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { AstromeshApiError, AstromeshConnectionError } from "@astromesh/client";
import type { AstromeshClient, Journal } from "@astromesh/client";

import { runIdOf } from "./order.ts";
import type { Order } from "./order.ts";
import { receiptOf } from "./tool-server.ts";
import type { ToolServer } from "./tool-server.ts";

/** Answers that may be others in a moment: too much to do, shutting down, the session is busy. */
const PASSING = new Set([409, 429, 503]);
const PAUSE_MS = 100;

/** Does something until the node answers; null when its answer is a refusal, which the order keeps. */
export async function insist<T>(order: Order, what: string, work: () => Promise<T>): Promise<T | null> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passing =
        error instanceof AstromeshConnectionError ||
        (error instanceof AstromeshApiError && PASSING.has(error.status) && error.code !== "run_ended");
      if (!passing) {
        if (error instanceof AstromeshApiError && error.runId !== null) order.runIds.add(error.runId);
        order.refusals.push(`${what}: ${describe(error)}`);
        return null;
      }
    }
    await sleep(PAUSE_MS);
  }
}

function describe(error: unknown): string {
  return error instanceof AstromeshApiError ? `${error.status} ${error.code}: ${error.detail}` : String(error);
}

/** A person's answer to the payment that the run waits for. Where nothing waits any more, it has been heard. */
export async function answerApproval(client: AstromeshClient, order: Order): Promise<void> {
  const runId = runIdOf(order);
  await insist(order, "approve", () => unlessAnswered(client.runs[order.approves ? "approve" : "reject"](runId)));
}

/** Cancels the run, unless it has ended. */
export async function cancel(client: AstromeshClient, order: Order): Promise<void> {
  order.cancelled = true;
  await insist(order, "cancel", () => unlessAnswered(client.runs.cancel(runIdOf(order))));
}

async function unlessAnswered(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const answered = error instanceof AstromeshApiError && ["invalid_request", "run_ended"].includes(error.code);
    if (!answered) throw error;
  }
}

/**
 * Says what became of the calls that a crash left open: the tools' books tell. When an answer is lost on its way, all
 * is looked up again, so that no old word is taken for an answer to a new question.
 *
 * @param givesUp what a person wants who finds that a call did not happen: leave it, or have it made again
 */
export async function clearUp(
  client: AstromeshClient,
  order: Order,
  tools: ToolServer,
  givesUp: boolean,
): Promise<void> {
  const runId = runIdOf(order);
  await insist(order, "resolve", async () => {
    for (const { key, position } of openCalls(await client.runs.journal(runId))) {
      const happened = (tools.records.get(key)?.effects ?? 0) > 0;
      if (happened) {
        await unlessAnswered(client.runs.resolve(runId, { position, outcome: "done", result: receiptOf(key) }));
      } else if (givesUp) {
        order.abandoned.push(key);
        await unlessAnswered(client.runs.resolve(runId, { position, outcome: "failed" }));
      } else {
        order.retried.push(key);
        await unlessAnswered(client.runs.resolve(runId, { position, outcome: "retry" }));
      }
    }
  });
}

/** The calls that wait for a person's word: where the question stands, and the key that the tool knows the call by. */
function openCalls({ run_id: runId, records }: Journal): { readonly key: string; readonly position: string }[] {
  const settled = new Set(records.filter(({ phase }) => phase !== "intent").map(({ position }) => position));
  return records
    .filter(({ kind, phase, position }) => kind === "signal" && phase === "intent" && !settled.has(position))
    .flatMap(({ segment, position }) => {
      const [call = "", question = ""] = position.split("/");
      return question.startsWith("resolve") ? [{ key: `${runId}:${segment}:${call}`, position }] : [];
    });
}
