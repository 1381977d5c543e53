import { setTimeout as sleep } from "node:timers/promises";

import { AstromeshApiError, AstromeshConnectionError, createClient } from "@astromesh/client";
import type { AstromeshClient, RunStreamEvent } from "@astromesh/client";

import { createSeen, runIdOf } from "./order.ts";
import type { Order } from "./order.ts";
import { answerApproval, cancel, clearUp, insist } from "./people.ts";
import { queryOf, SCENARIOS } from "./scenarios.ts";
import type { Seeded } from "./seeded.ts";
import type { ToolServer } from "./tool-server.ts";

/** Clients that order runs, watch them and order the next. */
export interface Load {
  readonly orders: readonly Order[];
  /** No new orders; resolves when each client has seen the end of its own, or left it to a person. */
  pause(): Promise<void>;
  resume(): void;
}

/** What the load works with. */
export interface LoadDeps {
  readonly url: () => string;
  readonly seeded: Seeded;
  readonly clients: number;
  readonly tools: ToolServer;
}

/** A client of its own for each order: its requests carry the order's trace. */
function clientOf(url: string, order: Order): AstromeshClient {
  return createClient({ url, headers: { traceparent: `00-${order.traceId}-00000000000000c1-01` } });
}

/** Starts the clients, paused. */
export function createLoad({ url, seeded, clients, tools }: LoadDeps): Load {
  const orders: Order[] = [];
  const state = { paused: true };
  let working: Promise<unknown> = Promise.resolve();

  const work = async (name: string, own: Seeded): Promise<void> => {
    while (!state.paused) {
      const order = newOrder(own, name, orders.length);
      orders.push(order);
      await serve(clientOf(url(), order), order, own, tools);
    }
  };
  const own = Array.from({ length: clients }, (_, index) => seeded.fork(`client ${index}`));
  return {
    orders,
    pause: async () => {
      state.paused = true;
      await working;
    },
    resume: () => {
      if (!state.paused) return;
      state.paused = false;
      // Two clients share a session, so that one of them finds it busy.
      working = Promise.all(own.map((source, index) => work(`session-${index >> 1}`, source)));
    },
  };
}

function newOrder(seeded: Seeded, sessionId: string, index: number): Order {
  const scenario = seeded.weighted(SCENARIOS);
  return {
    tag: `order ${index}`,
    scenario,
    idempotencyKey: `chaos-${seeded.hex(16)}`,
    traceId: seeded.hex(32),
    sessionId: scenario.agent === "friend" ? sessionId : null,
    approves: seeded.chance(0.8),
    runIds: new Set(),
    seen: createSeen(),
    cancelled: false,
    refusals: [],
    retried: [],
    abandoned: [],
  };
}

/** One order from its submission to the end of its stream. */
async function serve(client: AstromeshClient, order: Order, seeded: Seeded, tools: ToolServer): Promise<void> {
  const way = seeded.weighted(WAYS);
  await way.submit(client, order);
  if (order.runIds.size === 0) return;
  if (seeded.chance(0.1)) await submit(client, order);
  if (seeded.chance(0.03)) await cancel(client, order);
  // Some are cleared up while the node goes on dying, the others at the campaign's end.
  while ((await watch(client, order, seeded)) === "parked" && seeded.chance(0.4)) {
    await clearUp(client, order, tools, seeded.chance(0.3));
  }
}

const WAYS = [
  { weight: 6, submit },
  { weight: 2, submit: runAndWait },
  { weight: 2, submit: runAndStream },
] as const;

const question = ({ scenario, tag, sessionId }: Order) => ({
  query: queryOf(scenario, tag),
  ...(sessionId === null ? {} : { session_id: sessionId }),
});

async function submit(client: AstromeshClient, order: Order): Promise<void> {
  const { scenario, idempotencyKey } = order;
  const accepted = await insist(order, "submit", () =>
    client.runs.submit({ agent: scenario.agent, ...question(order) }, { idempotencyKey }),
  );
  if (accepted !== null) order.runIds.add(accepted.run_id);
}

async function runAndWait(client: AstromeshClient, order: Order): Promise<void> {
  const { scenario, idempotencyKey } = order;
  // A wait that is shorter than most runs: the answer is then an error that names the run.
  const request = { ...question(order), wait_ms: 400 };
  const refusals = order.refusals.length;
  const answer = await insist(order, "run", () => client.agents.run(scenario.agent, request, { idempotencyKey }));
  if (answer !== null) order.runIds.add(answer.run_id);
  else if (order.refusals[refusals]?.includes("run_timeout")) order.refusals.length = refusals;
}

async function runAndStream(client: AstromeshClient, order: Order): Promise<void> {
  const { scenario, idempotencyKey } = order;
  const read = async (): Promise<void> => {
    for await (const item of client.agents.stream(scenario.agent, question(order), { idempotencyKey })) {
      order.runIds.add(item.runId);
      // Whoever follows the stream from here on does what there is to do.
      if (isRest(item)) return;
      order.seen.take(item);
    }
  };
  await insist(order, "stream", () =>
    read().catch((error: unknown) => {
      // Asked again, it would begin again; the client knows the run by now, and follows it.
      if (order.runIds.size === 0) throw error;
    }),
  );
}

/** Events after which the client looks up from the stream. */
function isRest({ event }: RunStreamEvent): boolean {
  return event.type === "done" || event.type === "error" || event.type === "waiting";
}

/** Follows the run's stream, over many connections, to its end or until a person must say what became of a call. */
async function watch(client: AstromeshClient, order: Order, seeded: Seeded): Promise<"ended" | "parked"> {
  const fickle = seeded.chance(0.4);
  for (;;) {
    const limitMs = fickle ? seeded.whole(5, 300) : 60_000;
    const item = await follow(client, order, limitMs);
    if (item === "over") return "ended";
    if (item === null) {
      await sleep(seeded.whole(5, 100));
    } else if (item.event.type === "waiting") {
      const { reason } = item.event;
      if (reason === "approval") await answerApproval(client, order);
      if (reason === "ambiguous") return "parked";
    } else {
      return "ended";
    }
  }
}

/** One connection to the stream: the event at which it rested, null when it broke, `over` when all was said. */
async function follow(client: AstromeshClient, order: Order, limitMs: number): Promise<RunStreamEvent | "over" | null> {
  const { seen } = order;
  const after = seen.lastId();
  const signal = AbortSignal.timeout(limitMs);
  try {
    // The pauses between connections are ours: those of the client would be longer than most of the node's lives.
    const options = { signal, giveUpAfterMs: 0, ...(after === null ? {} : { after }) };
    for await (const item of client.events(runIdOf(order), options)) {
      seen.take(item);
      if (isRest(item)) return item;
    }
    return "over";
  } catch (error) {
    if (signal.aborted || error instanceof AstromeshConnectionError) return null;
    if (error instanceof AstromeshApiError && error.status === 503) return null;
    throw error;
  }
}
