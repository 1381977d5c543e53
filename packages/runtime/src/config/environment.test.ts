import { expect, test } from "vitest";

import { readEnvironment } from "./environment.ts";

function read(env: Record<string, string>) {
  return readEnvironment(env).environment;
}

test("nothing set says nothing, and an empty variable is not set", () => {
  const { environment, faults } = readEnvironment({ ASTROMESH_ROLE: "", DATABASE_URL: " " });
  expect(faults).toEqual([]);
  expect(environment).toMatchObject({
    role: null,
    databaseUrl: null,
    meshEnabled: null,
    cliUrl: "http://localhost:8000",
  });
});

test.each([
  ["http://ollama:11434", "http://ollama:11434"],
  ["ollama:11434", "http://ollama:11434"],
  ["ollama", "http://ollama:11434"],
  ["0.0.0.0:11500", "http://127.0.0.1:11500"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["https://ollama.example/", "https://ollama.example"],
])("OLLAMA_HOST %s is %s", (host, url) => {
  expect(read({ OLLAMA_HOST: host }).ollamaUrl).toBe(url);
});

test("seeds, secrets and keys are comma lists", () => {
  const environment = read({
    ASTROMESH_MESH_SEEDS: "gateway:8000, http://b:8001,, c",
    ASTROMESH_MESH_SECRET: "new-secret,old-secret",
    ASTROMESH_API_KEYS: "0123456789abcdef,ci:fedcba9876543210:run+read,ops:aaaaaaaaaaaaaaaa",
  });
  expect(environment.meshSeeds).toEqual(["gateway:8000", "http://b:8001", "c"]);
  expect(environment.meshSecrets).toEqual(["new-secret", "old-secret"]);
  expect(environment.apiKeys).toEqual([
    { name: "key-1", key: "0123456789abcdef", scopes: ["run", "read", "approve", "admin"] },
    { name: "ci", key: "fedcba9876543210", scopes: ["run", "read"] },
    { name: "ops", key: "aaaaaaaaaaaaaaaa", scopes: ["run", "read", "approve", "admin"] },
  ]);
});

test("the standard OpenTelemetry variables", () => {
  const { otel } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x,a=b=c",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=prod",
    OTEL_SERVICE_NAME: "mesh",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
    OTEL_SDK_DISABLED: "false",
  });
  expect(otel).toMatchObject({
    disabled: false,
    endpoint: "http://collector:4318",
    headers: { authorization: "Bearer x", a: "b=c" },
    resourceAttributes: { "deployment.environment": "prod" },
    serviceName: "mesh",
    sampleRatio: 0.25,
  });
});

test("service addresses are read in distributed mode only", () => {
  const urls = {
    ARCHITECT_SERVICE_URL: "http://architect:8000",
    DS_ORCHESTRATOR_URL: "http://ds-orchestrator:8000",
    DS_ANALYSTS_URL: "http://ds-analysts:8000",
  };
  expect(read({ ...urls, DEPLOYMENT_MODE: "distributed" }).serviceUrls).toEqual({
    architect: "http://architect:8000",
    "ds-orchestrator": "http://ds-orchestrator:8000",
    "ds-analysts": "http://ds-analysts:8000",
  });
  const { environment, faults } = readEnvironment({ OTHER_SERVICE_URL: "not ours" });
  expect([environment.serviceUrls, faults]).toEqual([{}, []]);
});
