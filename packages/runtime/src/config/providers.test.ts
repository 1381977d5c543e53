import { join } from "node:path";

import { expect, test } from "vitest";

import { configTree } from "../../test/fakes/index.ts";
import { readEnvironment } from "./environment.ts";
import { loadProviders } from "./providers.ts";
import { createSecretResolver } from "./secrets.ts";

const HEAD = "apiVersion: astromesh/v1\nkind: ProviderConfig\nspec:\n";

function load(files: Record<string, string>, env: Record<string, string> = {}) {
  const cwd = configTree(files);
  const { environment } = readEnvironment(env);
  const llmProviders = { entries: [], prices: {}, secrets: [] };
  return loadProviders({ configDir: join(cwd, "config"), environment, env, cwd, llmProviders });
}

function good(files: Record<string, string>, env: Record<string, string> = {}) {
  const loaded = load(files, env);
  if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
  return loaded;
}

test("without a file: ollama and offline, and what the environment makes", () => {
  const bare = good({});
  expect([...bare.config.providers.keys()]).toEqual(["offline", "ollama"]);
  expect(bare.config.providers.get("ollama")).toMatchObject({
    endpoint: "http://localhost:11434",
    timeoutMs: 120_000,
    origin: "built-in",
  });
  expect(bare.config.routing).toEqual({
    defaultStrategy: "quality_first",
    fallbackEnabled: true,
    circuitBreaker: { failureThreshold: 3, recoveryTimeoutMs: 60_000 },
  });
  const rich = good({}, { OLLAMA_HOST: "gpu:11434", OPENAI_API_KEY: "sk-x", ANTHROPIC_API_KEY: "sk-y" });
  expect(rich.config.providers.get("ollama")).toMatchObject({ endpoint: "http://gpu:11434", origin: "OLLAMA_HOST" });
  expect(rich.config.providers.get("openai")?.apiKey).toEqual({ from: "env", name: "OPENAI_API_KEY" });
  expect(rich.config.defaultCandidates.map(({ provider }) => provider)).toEqual(["ollama", "openai", "offline"]);
  expect(JSON.stringify([...rich.config.providers.values()])).not.toContain("sk-");
});

test("entries, aliases, keys, scripts and prices", () => {
  const providers = `${HEAD}  providers:
    big: { type: vllm, endpoint: "http://gpu:8001/v1", models: [llama, qwen], api_key: sk-literal, timeout: 30s }
    cloud: { type: openai, api_key: "\${CLOUD_KEY}", parameters: { temperature: 0.1, tag: "\${TAG}" } }
    demo: { type: scripted, script: scripts/demo.yaml }
    inline: { type: scripted, script: [{ text: hi }] }
  default: { provider: cloud, model: gpt-4o }
  routing: { default_strategy: quality_first, circuit_breaker: { failure_threshold: 5, recovery_timeout: 10s } }
  prices: { llama: { input: 0.1, output: 0.2 } }
`;
  const files = { "config/providers.yaml": providers, "config/scripts/demo.yaml": "replies:\n  - text: hello\n" };
  const { config, secrets, notices } = good(files, { CLOUD_KEY: "k", TAG: "t" });
  expect(config.providers.get("big")).toMatchObject({
    type: "vllm",
    models: ["llama", "qwen"],
    apiKey: { from: "file", owner: "provider:big", path: ["api_key"] },
    timeoutMs: 30_000,
    origin: "config/providers.yaml:5:5",
  });
  expect(config.providers.get("cloud")).toMatchObject({
    apiKey: { from: "env", name: "CLOUD_KEY" },
    parameters: { temperature: 0.1, tag: "${TAG}" },
  });
  expect(config.providers.get("demo")?.script).toEqual({ replies: [{ text: "hello" }] });
  expect(config.providers.get("inline")?.script).toEqual([{ text: "hi" }]);
  expect(config.defaultCandidates[0]).toEqual({ provider: "cloud", model: "gpt-4o" });
  expect(config.routing.circuitBreaker).toEqual({ failureThreshold: 5, recoveryTimeoutMs: 10_000 });
  expect(config.prices).toEqual({ llama: { inputUsdPerMillion: 0.1, outputUsdPerMillion: 0.2 } });
  const key = config.providers.get("big")?.apiKey;
  expect(key && createSecretResolver({}, secrets)(key)).toBe("sk-literal");
  expect(notices).toEqual([]);
});

test("providers*.yaml are one configuration; later files win", () => {
  const entry = (model: string, rest = "") =>
    `${HEAD}  providers: { ollama: { type: ollama, models: [${model}] } }\n${rest}`;
  const { config } = good({
    "config/providers.yaml": entry(
      "a",
      "  routing: { fallback_enabled: false }\n  prices: { x: { input: 1, output: 1 } }\n",
    ),
    "config/providers.prod.yaml": entry("z", "  prices: { y: { input: 2, output: 2 } }\n"),
    "config/other.yaml": "not: read",
  });
  // By name: providers.prod.yaml comes before providers.yaml.
  expect(config.providers.get("ollama")).toMatchObject({ models: ["a"], origin: "config/providers.yaml:4:16" });
  expect(config.routing.fallbackEnabled).toBe(false);
  expect(Object.keys(config.prices).toSorted()).toEqual(["x", "y"]);
});

test("everything wrong at once, and never a key", () => {
  const text = `${HEAD}  providers:
    a: { type: olama }
    b: { type: azure_openai }
    c: { type: openai, api_key: sk-hidden, api_key_env: KEY, endpont: x }
    d: { type: scripted }
    e: { type: ollama, script: x }
    f: { type: scripted, script: nowhere.yaml }
    g: { type: openai, endpoint: "http://user:sk-hidden@h" }
    default: { type: offline }
`;
  const broken = load({ "config/providers.yaml": text });
  expect(!broken.ok && broken.errors).toEqual([
    'config/providers.yaml:5:16 spec.providers.a.type: expected one of ollama, openai, openai_compat, vllm, tgi, llamacpp, azure_openai, lmstudio, anthropic, local, offline, scripted, got "olama"; did you mean "ollama"?',
    'config/providers.yaml:7:62 spec.providers.c: unknown key "endpont"; did you mean "endpoint"?',
    "config/providers.yaml:11:34 spec.providers.g.endpoint: an address must hold no user or password",
  ]);
  const right = text.replace("olama", "ollama").replace(", endpont: x", "").replace("user:sk-hidden@", "");
  const wrong = load({ "config/providers.yaml": right });
  expect(!wrong.ok && wrong.errors).toEqual([
    "config/nowhere.yaml:1:1 cannot be read (ENOENT)",
    "config/providers.yaml:6:5 spec.providers.b: endpoint: required for type azure_openai",
    "config/providers.yaml:7:57 spec.providers.c.api_key_env: give api_key or api_key_env, not both",
    "config/providers.yaml:8:5 spec.providers.d: script: required for type scripted",
    "config/providers.yaml:9:32 spec.providers.e.script: only type scripted has a script",
    "config/providers.yaml:12:5 spec.providers.default: the name is taken: it stands for whichever model answers; see spec.default",
  ]);
});

test("variables: a reference that is not set is an error, a key's variable that is not set a warning", () => {
  const unset = load({ "config/providers.yaml": `${HEAD}  providers: { a: { type: openai, api_key: "\${NOPE}" } }\n` });
  expect(!unset.ok && unset.errors).toEqual([
    "config/providers.yaml:4:44 spec.providers.a.api_key: variable NOPE is not set",
  ]);
  const later = good({ "config/providers.yaml": `${HEAD}  providers: { a: { type: openai, api_key_env: NOPE } }\n` });
  expect(later.warnings).toEqual(["config/providers.yaml:4:48 spec.providers.a.api_key_env: variable NOPE is not set"]);
});

test("types and strategies of later releases say so; an unknown default is an error", () => {
  const later = `${HEAD}  providers: { c: { type: anthropic } }\n  routing: { default_strategy: latency_optimized }\n`;
  expect(good({ "config/providers.yaml": later }).notices).toEqual([
    'config/providers.yaml:4:27 spec.providers.c.type: "anthropic" is accepted, but has no effect in this version',
    'config/providers.yaml:5:32 spec.routing.default_strategy: "latency_optimized" is accepted, but has no effect in this version',
  ]);
  const unknown = load({ "config/providers.yaml": `${HEAD}  default: { provider: olama }\n` });
  expect(!unknown.ok && unknown.errors).toEqual([
    'config/providers.yaml:4:24 spec.default.provider: unknown provider "olama"; did you mean "ollama"?',
  ]);
});
