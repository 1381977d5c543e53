/** The promises, one by one. */
import type { AstromeshClient, Run } from "@astromesh/client";

import { createSeen, runIdOf } from "./order.ts";
import type { Order } from "./order.ts";
import { onceCalls, queryOf, textOf, TOOLS } from "./scenarios.ts";
import type { ToolRecord } from "./tool-server.ts";

/** Something that breaks a promise. */
export interface Violation {
  readonly kind: "lost" | "doubled" | "missing" | "failed" | "refused" | "stream" | "session" | "incident";
  /** Null when it is not about one run. */
  readonly runId: string | null;
  readonly what: string;
}

/** An accepted run ends as it would have without a crash. */
export function judgeRun(order: Order, run: Run | null): Violation[] {
  const runId = runIdOf(order);
  if (run === null) return [{ kind: "lost", runId, what: `${order.tag} is not there` }];
  const { status, stop_reason: reason, wait_reason: waits, response } = run;
  if (status === "cancelled" && order.cancelled) return [];
  if (status === "failed" || status === "cancelled") {
    return [
      { kind: "failed", runId, what: `${order.tag}: ${status}, ${reason}: ${JSON.stringify(run.error ?? null)}` },
    ];
  }
  if (status !== "completed") return [{ kind: "lost", runId, what: `${order.tag} is ${status} ${waits ?? ""}` }];
  const last = order.scenario.turns.at(-1)?.says;
  if (response === last) return [];
  return [{ kind: "failed", runId, what: `${order.tag} answers ${JSON.stringify(response)}` }];
}

/** A `once` call is made at most once, unless a person says so; of a completed run all were made that should be. */
export function judgeEffects(order: Order, run: Run | null, records: ReadonlyMap<string, ToolRecord>): Violation[] {
  const runId = runIdOf(order);
  const own = [...records].filter(([key, { tool }]) => key.startsWith(`${runId}:`) && TOOLS[tool] === "once");
  const found: Violation[] = [];
  for (const [key, { tool, arrivals, effects }] of own) {
    const leave = order.retried.filter((retried) => retried === key).length;
    if (effects <= 1 && arrivals <= 1 + leave) continue;
    found.push({ kind: "doubled", runId, what: `${tool} ${key}: ${arrivals} arrivals, ${effects} effects` });
  }
  const asked = onceCalls(order.scenario);
  const made = own.filter(([, { effects }]) => effects > 0).length;
  const refused = order.approves ? 0 : order.scenario.turns.flatMap(({ calls }) => calls).filter(isPaid).length;
  const wanted = asked - refused - new Set(order.abandoned).size;
  if (made > asked - refused) {
    found.push({ kind: "doubled", runId, what: `${order.tag} made ${made} of ${asked - refused} calls` });
  }
  if (run?.status === "completed" && made < wanted) {
    found.push({ kind: "missing", runId, what: `${order.tag} made ${made} of ${wanted} calls` });
  }
  return found;
}

const isPaid = (tool: string): boolean => tool === "pay";

/** The text that the client has put together is the one of the log, and both end with the run's answer. */
export async function judgeStream(client: AstromeshClient, order: Order, run: Run): Promise<Violation[]> {
  const runId = runIdOf(order);
  const { seen, scenario } = order;
  const after = seen.lastId();
  for await (const item of client.events(runId, after === null ? {} : { after })) seen.take(item);
  const fresh = createSeen();
  for await (const item of client.events(runId)) fresh.take(item);
  const faults = [...seen.faults(), ...fresh.faults()];
  const texts = { seen: seen.text(), log: fresh.text(), said: textOf(scenario), answer: run.response ?? "" };
  if (texts.seen !== texts.log) faults.push("what the client saw is not what the log says");
  if (run.status === "completed" && texts.log !== texts.said) faults.push("the log is not what the model said");
  if (!texts.log.endsWith(texts.answer)) faults.push("the log does not end with the answer");
  if (String(seen.calls()) !== String(fresh.calls())) faults.push("the client saw other calls than the log has");
  const calls = scenario.turns.flatMap((turn) => turn.calls).length;
  if (run.status === "completed" && (fresh.calls().length !== 2 * calls || new Set(fresh.calls()).size !== 2 * calls)) {
    faults.push(`of ${calls} calls the log tells ${fresh.calls().join(", ")}`);
  }
  return faults.map((fault) => ({ kind: "stream", runId, what: `${order.tag}: ${fault}: ${JSON.stringify(texts)}` }));
}

/** One key, one run, whoever asked how often; and nothing that a careful client does is refused for good. */
export async function judgeSubmissions(client: AstromeshClient, orders: readonly Order[]): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const { tag, runIds, refusals } of orders) {
    const [runId = null] = runIds;
    if (runIds.size > 1) found.push({ kind: "doubled", runId, what: `${tag} has the runs ${[...runIds].join(", ")}` });
    for (const refusal of refusals) found.push({ kind: "refused", runId, what: `${tag}: ${refusal}` });
  }
  const known = new Set(orders.flatMap(({ runIds }) => [...runIds]));
  for (let cursor: string | null = null; ;) {
    const query: { limit: number; cursor?: string } = { limit: 200, ...(cursor === null ? {} : { cursor }) };
    const page = await client.runs.list(query);
    for (const { run_id: runId, trace_id: traceId } of page.runs) {
      if (known.has(runId)) continue;
      const tag = orders.find((order) => order.traceId === traceId)?.tag ?? "nobody";
      found.push({ kind: "doubled", runId, what: `a run of ${tag} that its client does not know` });
    }
    cursor = page.next_cursor;
    if (cursor === null) return found;
  }
}

/** A session remembers each of its completed runs once, in the order in which they came. */
export async function judgeSessions(
  client: AstromeshClient,
  orders: readonly Order[],
  rows: ReadonlyMap<Order, Run | null>,
): Promise<Violation[]> {
  const found: Violation[] = [];
  const chats = orders.filter(({ sessionId }) => sessionId !== null);
  for (const sessionId of new Set(chats.flatMap((order) => order.sessionId ?? []))) {
    const own = chats.filter((order) => order.sessionId === sessionId && rows.get(order)?.status === "completed");
    const { history } = await client.memory.history("friend", sessionId, { limit: 500 });
    const said = JSON.stringify(history);
    for (const { tag, scenario } of own) {
      const times = said.split(JSON.stringify(queryOf(scenario, tag))).length - 1;
      if (times !== 1) found.push({ kind: "session", runId: null, what: `${sessionId} has ${tag} ${times} times` });
    }
  }
  return found;
}
