import { expect, test } from "vitest";

import { startOtlpCollector } from "../fakes/index.ts";
import { waitFor } from "../harness/index.ts";
import { agentFile, testNode, testProvider } from "./test-node.ts";

test("a run's trace goes out over OTLP: request, agent, model call, tool call, each under the one before", async () => {
  const collector = await startOtlpCollector();
  const provider = await testProvider();
  await provider.script({
    rules: [
      { match: { tool: "calculator" }, reply: "four" },
      { reply: "", tool_calls: [{ name: "calculator", arguments: { expression: "2 + 2" } }] },
    ],
  });
  const tools = [{ name: "calculator", type: "builtin" }];
  const node = testNode({
    files: { "agents/sum.agent.yaml": agentFile("sum", provider, { tools }) },
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "50" },
  });
  await node.start();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const response = await node.fetch("/v1/agents/sum/run", {
    json: { query: "2 + 2" },
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  expect(response.status).toBe(200);
  await node.stop();

  const ours = collector.spans.filter((span) => span.traceId === traceId);
  const named = (name: string) => ours.find((span) => span.name === name);
  const request = named("POST /v1/agents/{name}/run");
  const agent = named("invoke_agent sum");
  const chat = named("chat fake:latest");
  const tool = named("execute_tool calculator");
  expect(request).toMatchObject({ parentSpanId: "b7ad6b7169203331", kind: 2 });
  expect(agent?.parentSpanId).toBe(request?.spanId);
  expect(chat).toMatchObject({
    parentSpanId: agent?.spanId,
    kind: 3,
    attributes: { "gen_ai.provider.name": "ollama" },
  });
  expect(tool).toMatchObject({ parentSpanId: agent?.spanId, attributes: { "astromesh.effect.class": "read" } });
  const [asked] = await provider.requests();
  expect(asked?.headers["traceparent"]).toContain(traceId);
  expect(collector.metrics).toContain("astromesh.runs.ended");
  await collector.stop();
});

test("metrics, status, doctor, configuration, providers and logs say what the node did", async () => {
  const provider = await testProvider();
  const node = testNode({
    files: { "agents/a.agent.yaml": agentFile("a", provider) },
    env: { OLLAMA_HOST: provider.ollamaUrl, OPENAI_API_KEY: "sk-a-secret-that-nobody-sees" },
  });
  await node.start();
  await node.fetch("/v1/agents/a/run", { json: { query: "hello" } });
  const metrics = await waitFor("the metrics of the run", async () => {
    const text = await (await node.fetch("/metrics")).text();
    return text.includes('astromesh_runs_ended_total{agent="a",status="completed",stop_reason="end"} 1') && text;
  });
  expect(metrics).toContain('gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat"');
  expect(metrics).toMatch(/http_server_request_duration_seconds_count\{.*http_route="\/v1\/agents\/\{name\}\/run"/);
  expect(metrics).toContain("astromesh_store_ready 1");
  expect(metrics).toContain("astromesh_agents_loaded 2");

  const status = await (await node.fetch("/v1/system/status")).json();
  expect(status).toMatchObject({ mode: "dev", services: { agents: true }, store: { kind: "sqlite", ready: true } });
  const { checks } = (await (await node.fetch("/v1/system/doctor")).json()) as {
    checks: { name: string; status: string }[];
  };
  expect(checks).toContainEqual(expect.objectContaining({ name: "store", status: "ok" }));
  expect(checks).toContainEqual(expect.objectContaining({ name: "provider ollama", status: "ok" }));
  const config = await (await node.fetch("/v1/config")).text();
  expect(config).toContain("api.port");
  const providers = await (await node.fetch("/v1/providers")).text();
  expect(providers).toContain("fake:latest");
  for (const text of [config, providers, node.child.output()]) expect(text).not.toContain("sk-a-secret");

  const abort = new AbortController();
  const logs = await node.fetch("/v1/logs", { signal: abort.signal });
  const reader = logs.body?.getReader();
  let text = "";
  await waitFor("the log over HTTP", async () => {
    text += new TextDecoder().decode((await reader?.read())?.value);
    return text.includes("Serving requests");
  });
  abort.abort();
});
