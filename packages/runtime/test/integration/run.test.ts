import { expect, test } from "vitest";

import { waitFor } from "../harness/index.ts";
import { agentFile, testDatabase, testNode, testProvider } from "./test-node.ts";

interface RunBody {
  readonly run_id: string;
  readonly status: string;
  readonly stop_reason: string;
  readonly response: string;
  readonly session_id: string;
  readonly provider: string;
  readonly model: string;
  readonly trace_id: string;
}

test("an agent file, a request, a model on the network, a tool, an answer", async () => {
  const provider = await testProvider();
  await provider.script({
    rules: [
      { match: { tool: "calculator" }, reply: "It is {tool_result}." },
      { reply: "", tool_calls: [{ name: "calculator", arguments: { expression: "6 * 7" } }] },
    ],
  });
  const tools = [{ name: "calculator", type: "builtin" }];
  const node = testNode({ files: { "agents/sum.agent.yaml": agentFile("sum", provider, { tools }) } });
  await node.start();

  const response = await node.fetch("/v1/agents/sum/run", { json: { query: "What is 6 times 7?" } });
  const body = (await response.json()) as RunBody;
  expect(response.status, JSON.stringify(body)).toBe(200);
  expect(body).toMatchObject({ status: "completed", stop_reason: "end", provider: "ollama", model: "fake:latest" });
  expect(body.response).toContain("42");
  expect(response.headers.get("x-astromesh-node")).toBe("node");

  const run = (await (await node.fetch(`/v1/runs/${body.run_id}`)).json()) as RunBody;
  expect(run).toMatchObject({ status: "completed", response: body.response, session_id: body.session_id });
  expect(await node.stop()).toBe(0);
});

test("a session remembers what was said in it, over a restart", async () => {
  const provider = await testProvider();
  const memory = { conversational: { strategy: "sliding_window", max_turns: 5 } };
  const node = testNode({ files: { "agents/a.agent.yaml": agentFile("a", provider, { memory }) } });
  await node.start();
  await node.fetch("/v1/agents/a/run", { json: { query: "My name is Ada.", session_id: "s1" } });
  expect(await node.stop()).toBe(0);
  await node.start();
  await node.fetch("/v1/agents/a/run", { json: { query: "Who am I?", session_id: "s1" } });
  const [, second] = await provider.requests();
  expect(JSON.stringify(second?.body)).toContain("My name is Ada.");
});

test("the built-in agent and the offline model answer on a node that was told nothing", async () => {
  const node = testNode({ env: { OLLAMA_HOST: "http://127.0.0.1:1" } });
  await node.start();
  const response = await node.fetch("/v1/agents/default/run", { json: { query: "Hello" } });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: "completed", provider: "offline" });
});

test("a model by script, from providers.yaml", async () => {
  const node = testNode({
    files: {
      "providers.yaml": JSON.stringify({
        apiVersion: "astromesh/v1",
        kind: "ProviderConfig",
        metadata: { name: "test" },
        spec: { providers: { parrot: { type: "scripted", script: [{ reply: "You said {user}" }] } } },
      }),
      "agents/p.agent.yaml": JSON.stringify({
        apiVersion: "astromesh/v1",
        kind: "Agent",
        metadata: { name: "p" },
        spec: {
          identity: { description: "repeats" },
          model: { primary: { provider: "parrot", model: "script" } },
          prompts: { system: "x" },
        },
      }),
    },
  });
  await node.start();
  const response = await node.fetch("/v1/agents/p/run", { json: { query: "hello" } });
  expect(await response.json()).toMatchObject({ response: "You said hello", provider: "parrot" });
});

test.each(["SQLite", "PostgreSQL"])("kill -9 in mid-run, on %s: after the restart the run ends", async (kind) => {
  const provider = await testProvider();
  await provider.script({
    rules: [
      { match: { tool: "calculator" }, reply: "done: {tool_result}" },
      { reply: "", tool_calls: [{ name: "calculator", arguments: { expression: "1 + 1" } }] },
    ],
  });
  const tools = [{ name: "calculator", type: "builtin" }];
  const env = kind === "SQLite" ? {} : { DATABASE_URL: await testDatabase() };
  const node = testNode({ env, files: { "agents/sum.agent.yaml": agentFile("sum", provider, { tools }) } });
  await node.start();
  // The first answer asks for the tool and has no tokens; the second stops before its second token.
  await provider.hold("token:1");
  const accepted = await node.fetch("/v1/runs", { json: { agent: "sum", query: "add" } });
  expect(accepted.status).toBe(202);
  const { run_id: runId } = (await accepted.json()) as RunBody;
  await provider.reached("token:1");
  await node.kill();
  await provider.release("token:1");

  await node.start();
  const run = await waitFor("the run's end", async () => {
    const body = (await (await node.fetch(`/v1/runs/${runId}`)).json()) as RunBody;
    return body.status === "completed" && body;
  });
  expect(run.response).toContain("2");
  // The first turn was in the journal: only the call that was cut is made again, under the same key.
  expect(await provider.count()).toBe(3);
  expect(await provider.repeated()).toHaveLength(1);
});
