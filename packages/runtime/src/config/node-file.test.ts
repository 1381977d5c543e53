import { join } from "node:path";

import { expect, test } from "vitest";

import { configTree } from "../../test/fakes/index.ts";
import { resolveNodeConfig } from "./resolve.ts";

function load(text: string, env: Record<string, string> = {}) {
  const cwd = configTree({ "aegis-config.yaml": text });
  const system = { config: join(cwd, "etc"), data: join(cwd, "lib"), run: join(cwd, "run") };
  return resolveNodeConfig({ flags: { config: "aegis-config.yaml" }, env, cwd, system, hostname: "box" });
}

function good(text: string, env: Record<string, string> = {}) {
  const resolved = load(text, env);
  if (!resolved.ok) throw new Error(resolved.errors.join("\n"));
  return resolved;
}

const EDGE = `apiVersion: 100monkeys.ai/v1
kind: NodeConfig
metadata:
  name: "edge-worker-1"
spec:
  node:
    id: "edge-node-1"
    type: "edge"
    region: "us-west-2"
    tags: ["gpu", "large-memory"]
    resources:
      cpu_cores: 32
      memory_gb: 128
      disk_gb: 500
      gpu: true

  runtime:
    orchestrator_url: "https://orchestrator.internal:8080"
    docker_network_mode: "aegis-net"
    nfs_server_host: "127.0.0.1"
`;

test("the guide's edge node", () => {
  const { config, notices, warnings } = good(EDGE);
  expect(config).toMatchObject({
    name: "edge-worker-1",
    api: { host: "127.0.0.1", port: 8000, grpcPort: null },
    services: { api: false, agents: false, observability: true },
    node: {
      id: "edge-node-1",
      type: "edge",
      region: "us-west-2",
      tags: ["gpu", "large-memory"],
      resources: { cpuCores: 32, memoryGb: 128, diskGb: 500, gpu: true },
    },
    containers: {
      orchestratorUrl: "https://orchestrator.internal:8080",
      networkMode: "aegis-net",
      nfsServerHost: "127.0.0.1",
      nfsPort: 2049,
    },
  });
  expect(notices).toEqual(["aegis-config.yaml:17:3 spec.runtime: accepted, but has no effect in this version"]);
  expect(warnings).toEqual([]);
});

test("an orchestrator listens on its guide's ports and names its models", () => {
  const text = `apiVersion: astromesh/v1
kind: NodeConfig
metadata: { name: orchestrator-primary }
spec:
  node: { id: orch-node-1, type: orchestrator }
  llm_providers:
    - name: main
      type: openai-compatible
      endpoint: http://llm:8001/v1
      api_key: env:LLM_KEY
      models: [{ alias: default, model: m1, cost_per_1k_tokens: 0.002 }]
    - { name: off, type: openai, enabled: false }
  storage: { backend: seaweedfs }
`;
  const { config, llmProviders, origins, notices } = good(text);
  expect(config.api).toMatchObject({ port: 8080, grpcPort: 50_051 });
  expect(Object.values(config.services).every(Boolean)).toBe(true);
  expect(origins.find(({ path }) => path === "api.port")?.origin).toBe("node type orchestrator");
  expect(origins.find(({ path }) => path === "mesh.node_name")?.origin).toBe("aegis-config.yaml:3:19");
  expect(llmProviders.entries).toMatchObject([
    { name: "main", type: "openai_compat", models: ["m1"], apiKey: { from: "env", name: "LLM_KEY" } },
  ]);
  expect(llmProviders.prices).toEqual({ m1: { inputUsdPerMillion: 2, outputUsdPerMillion: 2 } });
  expect(notices).toEqual(["aegis-config.yaml:13:3 spec.storage: accepted, but has no effect in this version"]);
});

test("a hybrid may use every section of runtime.yaml, and they win over its type", () => {
  const text = `apiVersion: astromesh/v1
kind: NodeConfig
metadata: { name: one }
spec:
  node: { id: n1, type: hybrid }
  api: { port: 9000 }
  store: { url: "postgres://db/x" }
`;
  const { config } = good(text, { ASTROMESH_NODE_NAME: "two" });
  expect(config).toMatchObject({ name: "two", api: { port: 9000, grpcPort: 50_051 }, store: { kind: "postgres" } });
});

test("an orchestrator without its dependencies is a warning", () => {
  const text = `apiVersion: astromesh/v1
kind: NodeConfig
metadata: { name: one }
spec:
  node: { id: n1, type: orchestrator }
`;
  expect(good(text).warnings).toEqual([
    "aegis-config.yaml:4:1 spec.llm_providers: an orchestrator should name its external dependencies",
    "aegis-config.yaml:4:1 spec.storage: an orchestrator should name its external dependencies",
  ]);
});

test("what is wrong with one is said with its place", () => {
  const resolved = load(`apiVersion: v9
kind: NodeConfig
metadata: {}
spec:
  node: { type: egde, tags: gpu, resources: { cpu: 3 } }
  storrage: {}
`);
  expect(!resolved.ok && resolved.errors).toEqual([
    'aegis-config.yaml:1:13 apiVersion: expected one of astromesh/v1, 100monkeys.ai/v1, got "v9"',
    "aegis-config.yaml:3:1 metadata.name: required",
    "aegis-config.yaml:5:3 spec.node.id: required",
    'aegis-config.yaml:5:17 spec.node.type: expected one of orchestrator, edge, hybrid, got "egde"; did you mean "edge"?',
    'aegis-config.yaml:5:29 spec.node.tags: expected a list, got "gpu"',
    'aegis-config.yaml:5:47 spec.node.resources: unknown key "cpu"; did you mean "gpu"?',
    'aegis-config.yaml:6:3 spec: unknown key "storrage"; did you mean "storage"?',
  ]);
});
