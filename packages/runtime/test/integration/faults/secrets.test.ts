import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startOtlpCollector } from "../../fakes/index.ts";
import type { OtlpCollector } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";
import { agentOn, ask, run } from "./answers.ts";
import { shareNode, startReady } from "./shared-node.ts";

/** Every place that may hold a secret has one of its own; none of them may come out anywhere. */
const canary = (place: string): string => `canary-${place}-7f3a`;
const CANARY = /canary-[a-z-]+-7f3a/g;

let collector: OtlpCollector;
let collectorUrl = "";
beforeAll(async () => {
  collector = await startOtlpCollector();
  collectorUrl = collector.url;
});
afterAll(() => collector.stop());

const shared = shareNode((provider) => {
  const compat = { provider: "openai_compat", endpoint: provider.openAiUrl };
  const withPassword = provider.openAiUrl.replace("//", `//user:${canary("endpoint-password")}@`);
  const host = new URL(provider.ollamaUrl).host;
  return {
    files: {
      "runtime.yaml": JSON.stringify({
        apiVersion: "astromesh/v1",
        kind: "RuntimeConfig",
        spec: {
          api: { host: "127.0.0.1", auth: { keys: [{ name: "file", key: canary("file-key") }] } },
          mesh: { secrets: [canary("mesh-secret")] },
          redis_url: `redis://user:${canary("redis-password")}@127.0.0.1:1/0`,
          observability: { log_level: "debug" },
        },
      }),
      "providers.yaml": JSON.stringify({
        apiVersion: "astromesh/v1",
        kind: "ProviderConfig",
        spec: {
          providers: {
            literal: { type: "openai_compat", endpoint: provider.openAiUrl, api_key: canary("provider-literal") },
            variable: { type: "openai_compat", endpoint: provider.openAiUrl, api_key: "${PROVIDER_KEY}" },
            query: { type: "openai_compat", endpoint: `${provider.openAiUrl}?api-key=${canary("endpoint-query")}` },
          },
        },
      }),
      ...agentOn(provider, "literal", {}, { ...compat, api_key: canary("agent-literal") }),
      ...agentOn(provider, "variable", {}, { ...compat, api_key_env: "AGENT_KEY" }),
      // An address with a password is refused; the refusal is shown, the password is not.
      ...agentOn(provider, "endpoint", {}, { ...compat, endpoint: withPassword }),
      ...agentOn(provider, "by-provider", { model: { primary: { provider: "literal", model: "m" } } }),
      ...agentOn(provider, "by-variable", { model: { primary: { provider: "variable", model: "m" } } }),
      ...agentOn(provider, "by-query", { model: { primary: { provider: "query", model: "m" } } }),
      ...agentOn(provider, "tools", {
        tools: [
          {
            name: "http_request",
            type: "builtin",
            config: { allow_private: true, hosts: [host], headers: { "x-custom": "${TOOL_HEADER}" } },
          },
          {
            name: "hook",
            type: "webhook",
            parameters: { type: "object", properties: {} },
            config: { url: `${provider.ollamaUrl}/hook`, allow_private: true, secret: "${HOOK_SECRET}" },
          },
          {
            name: "literal_hook",
            type: "webhook",
            parameters: { type: "object", properties: {} },
            config: {
              url: `${provider.ollamaUrl}/hook`,
              allow_private: true,
              secret: canary("hook-literal"),
              headers: { "x-custom": canary("header-literal") },
            },
          },
        ],
      }),
    },
    env: {
      ASTROMESH_API_KEYS: `ops:${canary("env-key")}:admin`,
      OPENAI_API_KEY: canary("openai-key"),
      PROVIDER_KEY: canary("provider-variable"),
      AGENT_KEY: canary("agent-variable"),
      TOOL_HEADER: canary("tool-header"),
      HOOK_SECRET: canary("hook-secret"),
      OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${canary("otlp-header")}`,
      OTEL_BSP_SCHEDULE_DELAY: "50",
    },
  };
});

const key = { headers: { "x-api-key": canary("env-key") } };

function leaks(text: string): string[] {
  return [...new Set(text.match(CANARY) ?? [])].toSorted();
}

async function expectNoLeak(path: string, request: object = key): Promise<void> {
  const response = await shared.node.fetch(path, request);
  const headers = [...response.headers].flat().join(" ");
  expect({ path, leaks: leaks((await response.text()) + headers) }).toEqual({ path, leaks: [] });
}

const AGENTS = ["literal", "variable", "endpoint", "by-provider", "by-variable", "by-query"];

describe("secrets", () => {
  test("are used", async () => {
    const { node, provider } = shared;
    for (const agent of ["literal", "variable", "by-provider", "by-variable"]) await run(node, agent, {}, key);
    const sent = (await provider.requests()).map(({ headers }) => headers["authorization"]);
    const places = ["agent-literal", "agent-variable", "provider-literal", "provider-variable"];
    expect(sent).toEqual(places.map((place) => `Bearer ${canary(place)}`));
  });

  test("are not in errors, though the model's server repeats them", async () => {
    const { node, provider } = shared;
    for (const [agent, place] of [
      ["literal", "agent-literal"],
      ["variable", "agent-variable"],
      ["by-provider", "provider-literal"],
      ["by-variable", "provider-variable"],
    ] as const) {
      await provider.script([{ fault: { status: 401, message: `the key ${canary(place)} is wrong` } }]);
      const { body, status } = await run(node, agent, {}, key);
      expect({ agent, status, leaks: leaks(JSON.stringify(body)) }).toEqual({ agent, status: 502, leaks: [] });
    }
    await provider.script([{ fault: { status: 400, message: "no" } }]);
    for (const agent of AGENTS) {
      const { body } = await run(node, agent, {}, key);
      expect({ agent, leaks: leaks(JSON.stringify(body)) }).toEqual({ agent, leaks: [] });
    }
  });

  test("are not in what tools say", async () => {
    const { node, provider } = shared;
    await provider.script([
      {
        match: { tool: "none" },
        tool_calls: [
          { name: "http_request", arguments: { url: `${provider.ollamaUrl}/nothing`, method: "GET" } },
          { name: "hook", arguments: {} },
          { name: "literal_hook", arguments: {} },
        ],
      },
      { reply: "done" },
    ]);
    const { body } = await run(node, "tools", {}, key);
    expect(body).toMatchObject({ status: "completed", tool_calls: [{}, {}, {}] });
    expect(leaks(JSON.stringify(body))).toEqual([]);
  });

  test("are in no answer of the API", async () => {
    const { node } = shared;
    const { runs } = (await ask(node, "/v1/runs?limit=200", key)).body as unknown as {
      runs: { run_id: string; trace_id: string }[];
    };
    expect(runs.length).toBeGreaterThan(10);
    for (const { run_id: runId, trace_id: traceId } of runs) {
      for (const path of ["", "/journal", "/events"]) await expectNoLeak(`/v1/runs/${runId}${path}`);
      await expectNoLeak(`/v1/traces/${traceId}`);
    }
    for (const agent of [...AGENTS, "tools"]) {
      await expectNoLeak(`/v1/agents/${agent}`);
      await expectNoLeak(`/v1/agents/${agent}/validate`, { method: "POST", ...key });
    }
    for (const path of [
      "/v1/agents",
      "/v1/runs",
      "/v1/traces",
      "/v1/config",
      "/v1/providers",
      "/v1/tools",
      "/v1/system/status",
      "/v1/system/doctor",
      "/metrics",
      "/ready",
      "/openapi.json",
    ]) {
      await expectNoLeak(path);
    }
    await expectNoLeak("/v1/system/reload", { method: "POST", ...key });
  });

  test("of an agent by API are in no error and no answer", async () => {
    const document = {
      apiVersion: "astromesh/v1",
      kind: "Agent",
      metadata: { name: "by-api" },
      spec: { model: { primary: { provider: "openai", model: "m", api_key: canary("document") } } },
    };
    for (const spec of [
      document.spec,
      { ...document.spec, tools: "none" },
      { model: { primary: { api_key: [canary("document")] } } },
    ]) {
      await expectNoLeak("/v1/agents", { json: { ...document, spec }, ...key });
    }
    for (const path of ["/v1/agents", "/v1/agents/by-api"]) await expectNoLeak(path);
  });

  test("are not in the log, however it is read", async () => {
    const { node } = shared;
    await expectNoLeak("/v1/agents", { headers: { "x-api-key": `${canary("env-key")}x` } });
    const gone = new AbortController();
    const logs = await node.fetch("/v1/logs?backlog=1000", { ...key, signal: gone.signal });
    const reader = logs.body?.getReader();
    let text = "";
    await waitFor("the log", async () => {
      text += new TextDecoder().decode((await reader?.read())?.value);
      return text.includes("model attempt failed");
    });
    gone.abort();
    expect(leaks(text)).toEqual([]);
    expect(leaks(node.child.output())).toEqual([]);
  });

  test("are not in traces, nor on the disk", async () => {
    const { node } = shared;
    await node.stop();
    expect(collector.headers["authorization"]).toBe(canary("otlp-header"));
    expect(collector.spans.length).toBeGreaterThan(10);
    expect(leaks(JSON.stringify([collector.spans, collector.metrics]))).toEqual([]);
    const files = readdirSync(node.dataDirectory, { recursive: true, encoding: "utf8" })
      .map((name) => join(node.dataDirectory, name))
      .filter((path) => statSync(path).isFile());
    const found = new Set(files.flatMap((path) => leaks(readFileSync(path, "latin1"))));
    // What stands in a tool's settings in plain text is a part of the definition; the node says so at load.
    for (const place of ["hook-literal", "header-literal"]) found.delete(canary(place));
    expect([...found]).toEqual([]);
    expect(node.child.output()).toContain("spec.tools[2].config.secret: is stored with the agent's definition");
    await startReady(node);
  });
});
