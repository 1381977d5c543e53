import { expect, test } from "vitest";

import { agentFile, testNode, testProvider } from "./test-node.ts";

const parrot = (name: string, endpoint: string, system = "Be brief."): unknown => ({
  apiVersion: "astromesh/v1",
  kind: "Agent",
  metadata: { name },
  spec: {
    identity: { description: "repeats" },
    model: { primary: { provider: "ollama", model: "fake:latest", endpoint } },
    prompts: { system },
  },
});

test("an agent by API runs at once, survives a restart and a reload, and goes when it is removed", async () => {
  const provider = await testProvider();
  const node = testNode();
  await node.start();
  const created = await node.fetch("/v1/agents", { json: parrot("p", provider.ollamaUrl) });
  expect(created.status, await created.text()).toBe(201);
  const again = await node.fetch("/v1/agents", { json: parrot("p", provider.ollamaUrl) });
  expect(again.ok).toBe(false);
  const run = () => node.fetch("/v1/agents/p/run", { json: { query: "hello" } });
  expect((await run()).status).toBe(200);
  await node.kill();
  await node.start();
  expect((await run()).status).toBe(200);
  expect((await node.fetch("/v1/system/reload", { method: "POST" })).status).toBe(200);
  expect((await run()).status).toBe(200);
  expect((await node.fetch("/v1/agents/p", { method: "DELETE" })).status).toBe(200);
  expect((await run()).status).toBe(404);
});

test("an agent that a file defines is read-only by API, also while its file is broken", async () => {
  const provider = await testProvider();
  const node = testNode({
    files: { "agents/p.agent.yaml": agentFile("p", provider), "agents/q.agent.yaml": "kind: Agent\n" },
  });
  await node.start();
  for (const name of ["p", "q"]) {
    const put = await node.fetch(`/v1/agents/${name}`, { method: "PUT", json: parrot(name, provider.ollamaUrl) });
    expect(put.status).toBe(409);
    expect(await put.json()).toMatchObject({ code: "agent_read_only" });
    expect((await node.fetch(`/v1/agents/${name}`, { method: "DELETE" })).status).toBe(409);
  }
});

test("a document that is wrong names every place and keeps nothing", async () => {
  const node = testNode();
  await node.start();
  const document = { kind: "Agent", apiVersion: "astromesh/v1", metadata: { name: "p" }, spec: { promts: {} } };
  const created = await node.fetch("/v1/agents", { json: document });
  expect(created.status).toBe(422);
  expect(await created.text()).toContain("promts");
  expect((await node.fetch("/v1/agents/p")).status).toBe(404);
});

test("a run keeps the definition that it began with when the agent changes under it", async () => {
  const provider = await testProvider();
  const node = testNode();
  await node.start();
  await node.fetch("/v1/agents", { json: parrot("p", provider.ollamaUrl, "the first prompt") });
  await provider.hold("request");
  await node.fetch("/v1/runs", { json: { agent: "p", query: "hello" } });
  await provider.reached("request");
  await node.fetch("/v1/agents/p", { method: "PUT", json: parrot("p", provider.ollamaUrl, "the second prompt") });
  await node.kill();
  await provider.release("request");
  await node.start();
  await provider.asked(2);
  const bodies = (await provider.requests()).map(({ body }) => JSON.stringify(body));
  expect(bodies.every((body) => body.includes("the first prompt"))).toBe(true);
});

test("services that are off refuse with 503 and say which; the rest is served", async () => {
  const services = "services: { agents: false, tools: false }";
  const node = testNode({
    files: {
      "runtime.yaml": `apiVersion: astromesh/v1\nkind: RuntimeConfig\nmetadata: { name: n }\nspec: { api: { host: 127.0.0.1 }, ${services} }\n`,
    },
  });
  await node.start();
  const run = await node.fetch("/v1/agents/default/run", { json: { query: "hello" } });
  expect(run.status).toBe(503);
  expect(await run.json()).toMatchObject({ detail: "No available node provides service: agents", code: "no_service" });
  const tool = await node.fetch("/v1/tools/execute", {
    json: { tool_name: "calculator", arguments: { expression: "1" } },
  });
  expect(tool.status).toBe(503);
  expect((await node.fetch("/v1/agents")).status).toBe(200);
});
