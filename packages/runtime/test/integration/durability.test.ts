import type { RequestListener } from "node:http";

import { expect, onTestFinished, test } from "vitest";

import { createTestServers, framesOf } from "../fakes/index.ts";
import type { TestServer } from "../fakes/index.ts";
import { waitFor } from "../harness/index.ts";
import type { TestNode } from "../harness/index.ts";
import { agentFile, testNode, testProvider } from "./test-node.ts";

const slow = { timeout: 120_000 };

async function toolServer(listener: RequestListener): Promise<TestServer> {
  const servers = createTestServers();
  onTestFinished(() => servers.stop());
  return servers.serve(listener);
}

async function submit(node: TestNode, agent: string, query: string): Promise<string> {
  const response = await node.fetch("/v1/runs", { json: { agent, query } });
  expect(response.status).toBe(202);
  const { run_id: runId } = (await response.json()) as { run_id: string };
  return runId;
}

interface RunRow {
  readonly status: string;
  readonly attempt: number;
  readonly response: string;
}

async function read<T>(node: TestNode, path: string): Promise<T> {
  return (await (await node.fetch(path)).json()) as T;
}

async function countOf(node: TestNode, status: string): Promise<number> {
  const { runs } = await read<{ runs: Record<string, number> }>(node, "/v1/system/status");
  return runs[status] ?? 0;
}

test("500 parked runs survive a restart and a crash asleep, and each wakes once", slow, async () => {
  const count = 500;
  const bank = await toolServer((_request, response) => response.end("paid"));
  const provider = await testProvider();
  await provider.script([
    { match: { tool: "pay" }, reply: "It is paid." },
    { reply: "", tool_calls: [{ name: "pay", arguments: {} }] },
  ]);
  const pay = { name: "pay", type: "webhook", config: { url: bank.url, allow_private: true }, approval: "ask" };
  const node = testNode({ files: { "agents/payer.agent.yaml": agentFile("payer", provider, { tools: [pay] }) } });
  await node.start();
  const runIds = await Promise.all(Array.from({ length: count }, (_, index) => submit(node, "payer", `pay ${index}`)));
  await waitFor("all runs wait", async () => (await countOf(node, "waiting")) === count, 60_000);
  expect(await provider.count()).toBe(count);

  expect(await node.stop()).toBe(0);
  await node.start();
  expect(await countOf(node, "waiting")).toBe(count);
  await node.kill();
  await node.start();
  expect(await countOf(node, "waiting")).toBe(count);

  const approvals = runIds.map((runId) => node.fetch(`/v1/runs/${runId}/approve`, { method: "POST" }));
  expect((await Promise.all(approvals)).every(({ status }) => status === 202)).toBe(true);
  await waitFor("all runs have ended", async () => (await countOf(node, "completed")) === count, 60_000);
  // Nobody asked a model while they slept, each payment was made once, and each run began its second stretch of work.
  expect(await provider.count()).toBe(2 * count);
  expect(new Set(bank.seen.map(({ headers }) => headers["idempotency-key"])).size).toBe(count);
  expect(bank.seen).toHaveLength(count);
  const runs = await Promise.all(runIds.map((runId) => read<RunRow>(node, `/v1/runs/${runId}`)));
  expect(runs.filter(({ attempt }) => attempt !== 2)).toEqual([]);
});

test("a client that connects again 20 times, while the node dies twice, reads the journal's answer", slow, async () => {
  const provider = await testProvider();
  const story = Array.from({ length: 160 }, (_, index) => `word${index}`).join(" ");
  await provider.script([{ reply: story, token_delay_ms: 5 }]);
  const node = testNode({ files: { "agents/teller.agent.yaml": agentFile("teller", provider) } });
  await node.start();
  const runId = await submit(node, "teller", "Tell me a story.");

  let pieces: { readonly offset: number; readonly text: string }[] = [];
  let lastId = "";
  let ended = false;
  /** Reads some events and leaves. */
  const listen = async (events: number): Promise<void> => {
    const response = await node.fetch(`/v1/runs/${runId}/events`, { headers: { "last-event-id": lastId } });
    let left = events;
    for await (const { id = "", data } of framesOf(response)) {
      if (data === undefined) continue;
      lastId = id;
      const offset = Number(id.split(":")[2]);
      if (data["type"] === "token") pieces.push({ offset, text: String(data["text"]) });
      if (data["type"] === "retract") pieces = pieces.filter((piece) => piece.offset <= Number(data["to"]));
      ended ||= data["type"] === "done";
      left -= 1;
      if (left === 0) return;
    }
  };
  for (let connection = 1; connection <= 20; connection += 1) {
    await listen(6);
    if (connection === 7 || connection === 14) {
      await node.kill();
      await node.start();
    }
  }
  expect(ended).toBe(false);
  await listen(Number.POSITIVE_INFINITY);
  expect(ended).toBe(true);
  const run = await read<RunRow>(node, `/v1/runs/${runId}`);
  expect(run).toMatchObject({ status: "completed", response: story });
  expect(pieces.map(({ text }) => text).join("")).toBe(story);
});
