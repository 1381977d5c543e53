import { afterAll, beforeAll, expect, test } from "vitest";

import { startPostgres } from "../../fakes/embedded-postgres.ts";
import type { TestPostgres } from "../../fakes/embedded-postgres.ts";
import { waitFor } from "../../harness/index.ts";
import { agentOn, ask, begin, run, runReaches } from "./answers.ts";
import { shareNode, startReady } from "./shared-node.ts";

/** A server that is not ours is not ours to kill. */
const ownServer = process.env["TEST_POSTGRES_URL"] === undefined;
let postgres: TestPostgres;
let databaseUrl = "";
beforeAll(async () => {
  postgres = await startPostgres();
  databaseUrl = await postgres.createDatabase();
});
afterAll(() => postgres.stop());

const shared = shareNode((provider) => ({
  files: {
    ...agentOn(provider, "a", { memory: { conversational: {} } }),
    ...agentOn(provider, "sum", { tools: [{ name: "calculator", type: "builtin" }] }),
  },
  env: { DATABASE_URL: databaseUrl },
}));

test("a node on PostgreSQL answers, remembers, resumes after kill -9", async () => {
  const { node, provider } = shared;
  const status = await ask(node, "/v1/system/status");
  expect(status.body).toMatchObject({ store: { kind: "postgres", ready: true } });
  await run(node, "a", { query: "My name is Ada.", session_id: "s" });

  await provider.script([
    { match: { tool: "calculator" }, reply: "It is {tool_result}" },
    { match: "sum", tool_calls: [{ name: "calculator", arguments: { expression: "40 + 2" } }] },
    { reply: "ok" },
  ]);
  await provider.hold("token:1");
  const runId = await begin(node, "sum", { query: "sum" });
  await provider.reached("token:1");
  await node.kill();
  await provider.release("token:1");
  await startReady(node);
  expect((await runReaches(node, runId, "completed")).response).toContain("42");
  expect(await provider.repeated()).toHaveLength(1);

  await run(node, "a", { query: "Who am I?", session_id: "s" });
  expect(JSON.stringify((await provider.requests()).at(-1)?.body)).toContain("My name is Ada.");
});

test.runIf(ownServer)(
  "a database that is killed under load and comes back: nothing accepted is lost, and a key is one run",
  async () => {
    const { node, provider } = shared;
    await provider.script([{ reply: "one two three", token_delay_ms: 20 }]);
    const accepted: string[] = [];
    const statuses = new Set<number>();
    const load = { on: true };
    /** Asks again under the same key until the run is taken, as a client should. */
    const keepAsking = async (worker: number): Promise<void> => {
      for (let n = 0; load.on;) {
        const headers = { "idempotency-key": `load-${worker}-${n}` };
        const { status, body } = await ask(node, "/v1/runs", { json: { agent: "a", query: "hello" }, headers });
        statuses.add(status);
        if (status !== 202) continue;
        accepted.push(body.run_id);
        n += 1;
      }
    };
    const workers = [1, 2, 3, 4].map(keepAsking);
    await waitFor("some load", () => accepted.length >= 20);
    await postgres.kill();
    await waitFor("the outage shows", async () => (await node.fetch("/ready")).status === 503);
    expect(await (await node.fetch("/ready")).text()).toContain("database: postgres is not ready");
    expect((await node.fetch("/health")).status).toBe(200);
    await postgres.restart();
    await waitFor("the node is ready again", async () => (await node.fetch("/ready")).status === 200);
    const before = accepted.length;
    await waitFor("load again", () => accepted.length >= before + 20);
    load.on = false;
    await Promise.all(workers);

    for (const runId of accepted) {
      expect((await runReaches(node, runId, "completed", 20_000)).response).toBe("one two three");
    }
    expect(new Set(accepted).size).toBe(accepted.length);
    // Each run makes one call; one whose 202 was lost was found again by its key.
    const calls = new Set((await provider.requests()).map(({ idempotencyKey }) => idempotencyKey));
    expect(calls.size).toBe(accepted.length);
    expect(statuses).toEqual(new Set([202, 503]));
  },
);
