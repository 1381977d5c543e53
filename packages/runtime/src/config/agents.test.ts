import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";

import { configTree } from "../../test/fakes/index.ts";
import type { AgentDefinition } from "../core/index.ts";
import { checkAgentDocument, digestOf } from "./agent-check.ts";
import { loadAgents } from "./agents.ts";
import { createSecretResolver } from "./secrets.ts";

const head = (name: string) => `apiVersion: astromesh/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec:\n`;

function load(files: Record<string, string>, env: Record<string, string> = {}, providers: string[] = []) {
  const cwd = configTree(Object.fromEntries(Object.entries(files).map(([name, text]) => [`agents/${name}`, text])));
  return loadAgents(join(cwd, "agents"), { env, cwd, providers: new Set(providers) });
}

function one(spec: string, env: Record<string, string> = {}, providers: string[] = []) {
  const loaded = load({ "a.agent.yaml": head("a") + spec }, env, providers);
  const agent = loaded.agents.find(({ definition }) => definition.name === "a");
  if (agent === undefined) throw new Error(loaded.rejected.flatMap(({ errors }) => errors).join("\n"));
  return { ...loaded, agent, definition: agent.definition };
}

function errors(spec: string, env: Record<string, string> = {}, providers: string[] = []): readonly string[] {
  return load({ "a.agent.yaml": head("a") + spec }, env, providers).rejected.flatMap((agent) => agent.errors);
}

test("a name is enough for an agent, and every default is filled in", () => {
  const { definition } = one("  {}\n");
  expect(definition).toEqual({
    name: "a",
    version: "1.0.0",
    namespace: "default",
    labels: {},
    identity: { displayName: "a", description: "", avatar: null },
    model: {
      default: {
        candidates: [
          {
            provider: "default",
            model: "default",
            endpoint: null,
            apiKey: null,
            timeoutMs: 120_000,
            parameters: {},
          },
        ],
        strategy: "quality_first",
      },
      roles: {},
    },
    prompts: { system: "You are a helpful assistant.", templates: {} },
    orchestration: { pattern: "react", maxIterations: 10, timeoutMs: null, roleMap: {}, options: {} },
    tools: [],
    memory: { conversational: null, episodic: null, semantic: null },
    guardrails: { input: [], output: [] },
    permissions: { allowedActions: null },
    knowledge: null,
    outputSchema: null,
    schedules: [],
    channels: [],
    budget: { maxTokens: null, maxCostUsd: null },
    execution: { targetTags: [] },
  } satisfies AgentDefinition);
});

test("primary, fallback and extra are another way to write default.candidates", () => {
  const legacy = one(`  model:
    primary: { provider: ollama, model: m1, temperature: 0.5, parameters: { top_p: 0.9 } }
    fallback: { source: openai_compat, model: m2, endpoint: "http://h:1234/v1", timeout: 5s }
    extra: { third: { provider: offline, model: offline } }
    routing: { strategy: round_robin }
`);
  const general = one(`  model:
    default:
      strategy: round_robin
      candidates:
        - { provider: ollama, model: m1, parameters: { temperature: 0.5, top_p: 0.9 } }
        - { provider: openai_compat, model: m2, endpoint: "http://h:1234/v1", timeout: 5 }
        - { provider: offline, model: offline }
`);
  expect(legacy.definition.model).toEqual(general.definition.model);
  expect(legacy.agent.digest).toBe(general.agent.digest);
});

test("roles, role map, tools and memory", () => {
  const { definition } = one(
    `  model:
    primary: { provider: mine, model: m }
    roles:
      smart: { candidates: [{ provider: ollama, model: big }], strategy: quality_first }
  orchestration: { role_map: { reasoner: smart, other: default }, timeout_seconds: 90, max_iterations: 3 }
  tools:
    - name: http_request
      config: { allow_private: true, headers: { x: "\${TOKEN}" } }
      effect: read
      timeout: 2s
      rate_limit: { window_seconds: 60, max_calls: 5 }
  memory: { conversational: { max_turns: 3, ttl: 7d } }
`,
    { TOKEN: "secret" },
    ["mine"],
  );
  expect(definition.model.default.candidates[0]?.provider).toBe("mine");
  expect(definition.model.roles["smart"]?.candidates[0]?.model).toBe("big");
  expect(definition.orchestration).toMatchObject({
    roleMap: { reasoner: "smart" },
    timeoutMs: 90_000,
    maxIterations: 3,
  });
  expect(definition.tools[0]).toEqual({
    name: "http_request",
    type: "builtin",
    description: null,
    parameters: null,
    config: { allow_private: true, headers: { x: "${TOKEN}" } },
    effect: "read",
    approval: "never",
    timeoutMs: 2000,
    rateLimit: { windowMs: 60_000, maxCalls: 5 },
  });
  expect(definition.memory.conversational).toMatchObject({ maxTurns: 3, ttlMs: 604_800_000 });
});

test("every error of a file at once, with its place", () => {
  const spec = `  modle: {}
  identity: { display_name: 5 }
  model:
    primary: { provider: olama, model: m, timeout: soon, parameters: { temperature: warm } }
    roles: { smart: {} }
  prompts: { system: "\${MISSING} \${user.name}" }
  orchestration: { pattern: recat, max_iterations: 0 }
  tools:
    - { nme: x }
    - { name: calculator, type: bulitin, effect: twice }
    - { name: "has space" }
  output_schema: text
  memory: { conversational: { backend: sqlit } }
`;
  expect(errors(spec)).toEqual(
    [
      'agents/a.agent.yaml:5:3 spec: unknown key "modle"; did you mean "model"?',
      "agents/a.agent.yaml:6:29 spec.identity.display_name: expected text, got 5",
      'agents/a.agent.yaml:8:26 spec.model.primary.provider: unknown provider "olama"; did you mean "ollama"?',
      "agents/a.agent.yaml:8:52 spec.model.primary.timeout: expected a duration such as 500ms, 30s, 5m, 1h, 7d, or a number of seconds",
      'agents/a.agent.yaml:8:85 spec.model.primary.parameters.temperature: expected a number, got "warm"',
      "agents/a.agent.yaml:9:14 spec.model.roles.smart.candidates: required",
      "agents/a.agent.yaml:10:22 spec.prompts.system: variable MISSING is not set",
      "agents/a.agent.yaml:10:22 spec.prompts.system: not a variable: ${NAME} or ${NAME:-default}; write $${ for a plain ${",
      'agents/a.agent.yaml:11:29 spec.orchestration.pattern: expected one of react, plan_and_execute, parallel_fan_out, pipeline, supervisor, swarm, got "recat"; did you mean "react"?',
      "agents/a.agent.yaml:11:52 spec.orchestration.max_iterations: must be at least 1",
      'agents/a.agent.yaml:13:9 spec.tools[0]: unknown key "nme"; did you mean "name"?',
      "agents/a.agent.yaml:13:7 spec.tools[0].name: required",
      'agents/a.agent.yaml:14:33 spec.tools[1].type: expected one of builtin, mcp, agent, webhook, client, rag, got "bulitin"; did you mean "builtin"?',
      'agents/a.agent.yaml:14:50 spec.tools[1].effect: expected one of read, idempotent, once, got "twice"',
      "agents/a.agent.yaml:15:15 spec.tools[2].name: must be 1 to 64 letters, digits, dashes and underscores",
      'agents/a.agent.yaml:16:18 spec.output_schema: expected a mapping, got "text"',
      'agents/a.agent.yaml:17:40 spec.memory.conversational.backend: expected one of sqlite, postgres, redis, got "sqlit"; did you mean "sqlite"?',
    ].toSorted((a, b) => place(a) - place(b)),
  );
});

function place(error: string): number {
  const [, line = "0", col = "0"] = /:(\d+):(\d+) /.exec(error) ?? [];
  return Number(line) * 1000 + Number(col);
}

test("errors between keys", () => {
  const spec = `  model:
    default: { candidates: [{ provider: azure_openai, model: m }] }
    fallback: { provider: scripted, source: x, model: m, api_key: a, api_key_env: B }
  orchestration: { role_map: { reasoner: smrt }, timeout: 1m, timeout_seconds: 60 }
  tools: [{ name: t }, { name: t, rate_limit: { window: 1s, window_seconds: 1 } }]
`;
  expect(errors(spec)).toEqual([
    "agents/a.agent.yaml:6:29 spec.model.default.candidates[0]: endpoint: required for provider azure_openai",
    "agents/a.agent.yaml:7:5 spec.model.fallback: give primary, fallback and extra, or default, not both",
    'agents/a.agent.yaml:8:42 spec.orchestration.role_map.reasoner: no model role "smrt"; there are default',
    "agents/a.agent.yaml:8:63 spec.orchestration.timeout_seconds: give timeout or timeout_seconds, not both",
    "agents/a.agent.yaml:9:32 spec.tools[1].name: another tool has this name",
    "agents/a.agent.yaml:9:61 spec.tools[1].rate_limit.window_seconds: give window or window_seconds, not both",
  ]);
  expect(
    errors("  model: { fallback: { provider: scripted, source: x, model: m, api_key: a, api_key_env: B } }\n"),
  ).toEqual(
    [
      "agents/a.agent.yaml:5:12 spec.model.fallback: needs primary before it",
      "agents/a.agent.yaml:5:44 spec.model.fallback.source: give provider or source, not both",
      "agents/a.agent.yaml:5:77 spec.model.fallback.api_key_env: give api_key or api_key_env, not both",
      "agents/a.agent.yaml:5:52 spec.model.fallback.source: a scripted provider needs an entry in providers.yaml",
    ].toSorted((a, b) => place(a) - place(b)),
  );
});

test("a bad file is left out, the others load; of two with one name the later is bad", () => {
  const { agents, rejected, notices } = load({
    "1.agent.yaml": head("one") + "  {}\n",
    "2.agent.yaml": head("one") + "  {}\n",
    "3.agent.yaml": "a: [\n",
    "4.agent.yml": head("four") + "  {}\n",
    "five.yaml": head("five") + "  {}\n",
    "notes.txt": "",
  });
  expect(agents.map(({ definition, source, file }) => [definition.name, source, file])).toEqual([
    ["default", "builtin", null],
    ["four", "file", "agents/4.agent.yml"],
    ["one", "file", "agents/1.agent.yaml"],
  ]);
  expect(rejected[0]).toEqual({
    name: "one",
    file: "agents/2.agent.yaml",
    errors: ['agents/2.agent.yaml:3:19 metadata.name: agent "one" is defined in agents/1.agent.yaml already'],
  });
  expect(rejected[1]).toMatchObject({ name: "3", file: "agents/3.agent.yaml" });
  expect(notices).toEqual(["agents/five.yaml ignored: agent files are named *.agent.yaml"]);
});

test("the built-in agent is there unless a file has its name, valid or not", () => {
  expect(loadAgents(null, { env: {}, cwd: "/" }).agents.map(({ source }) => source)).toEqual(["builtin"]);
  const own = load({ "d.agent.yaml": head("default") + "  {}\n" });
  expect(own.agents.map(({ source }) => source)).toEqual(["file"]);
  const bad = load({ "d.agent.yaml": head("default") + "  nope: 1\n" });
  expect([bad.agents.length, bad.rejected.length]).toEqual([0, 1]);
});

test("a definition holds references, never secrets", () => {
  const spec = `  model:
    primary: { provider: openai, model: m, api_key: sk-hidden-literal, parameters: { temperature: "\${T}", extra: "\${SECRET}" } }
    fallback: { provider: openai, model: m, api_key: "\${SECRET}" }
  tools: [{ name: t, config: { key: "\${SECRET}" } }]
  channels: [{ type: slack, config: { token: "\${SECRET}" } }]
  guardrails: { input: [{ type: webhook, token: "\${SECRET}" }] }
  memory: { semantic: { url: "\${SECRET}" } }
  prompts: { system: "Hello \${WHO:-you}, $\${literal}" }
`;
  const env = { SECRET: "sk-hidden-env", T: "0.5" };
  const { agent, definition, secrets } = one(spec, env);
  expect(JSON.stringify(agent)).not.toContain("sk-hidden");
  const [primary, fallback] = definition.model.default.candidates;
  expect(primary?.parameters).toEqual({ temperature: 0.5, extra: "${SECRET}" });
  expect(fallback?.apiKey).toEqual({ from: "env", name: "SECRET" });
  expect(definition.prompts.system).toBe("Hello you, ${literal}");
  const resolve = createSecretResolver(env, secrets);
  expect(primary?.apiKey && resolve(primary.apiKey)).toBe("sk-hidden-literal");
  expect(fallback?.apiKey && resolve(fallback.apiKey)).toBe("sk-hidden-env");
});

test("a kept reference whose variable is not set is an error too", () => {
  expect(errors('  tools: [{ name: t, config: { key: "${NOPE}", other: "${FINE:-x}" } }]\n')).toEqual([
    "agents/a.agent.yaml:5:37 spec.tools[0].config.key: variable NOPE is not set",
  ]);
});

test("values of variables stay out of messages", () => {
  const spec = '  model: { primary: { provider: "${P}", model: m } }\n  orchestration: { pattern: "${P}" }\n';
  expect(errors(spec, { P: "sk-hidden" }).join()).not.toContain("sk-hidden");
});

test("what has no effect in this release says so, with its place", () => {
  const spec = `  model: { primary: { provider: anthropic, model: claude }, routing: { strategy: latency_optimized } }
  orchestration: { pattern: swarm }
  guardrails: { input: [{ type: pii_detection, action: redact }] }
  knowledge: { pipeline: docs }
  output_schema: { type: object }
  budget: { max_tokens: 100 }
  schedules: [{ name: daily, cron: "0 8 * * *", query: hi }]
  channels: []
  memory: { conversational: { backend: redis }, episodic: { backend: postgres } }
`;
  const text = "accepted, but has no effect in this version";
  expect(one(spec).agent.notices).toEqual([
    `agents/a.agent.yaml:5:33 spec.model.primary.provider: "anthropic" is ${text}`,
    `agents/a.agent.yaml:5:82 spec.model.routing.strategy: "latency_optimized" is ${text}`,
    `agents/a.agent.yaml:6:29 spec.orchestration.pattern: "swarm" is ${text}`,
    `agents/a.agent.yaml:7:3 spec.guardrails: ${text}`,
    `agents/a.agent.yaml:8:3 spec.knowledge: ${text}`,
    `agents/a.agent.yaml:11:3 spec.schedules: ${text}`,
    `agents/a.agent.yaml:13:40 spec.memory.conversational.backend: "redis" is ${text}`,
    `agents/a.agent.yaml:13:49 spec.memory.episodic: ${text}`,
  ]);
});

test("a notice is about what a variable says, not about its name", () => {
  const spec = '  orchestration: { pattern: "${P}" }\n';
  expect(one(spec, { P: "react" }).agent.notices).toEqual([]);
  expect(one(spec, { P: "swarm" }).agent.notices).toHaveLength(1);
});

test("documents that come by API: paths instead of places, no literal keys, no variables to read out", () => {
  const document = {
    apiVersion: "astromesh/v1",
    kind: "Agent",
    metadata: { name: "x" },
    spec: {
      model: { primary: { provider: "olama", model: "m", api_key: "sk-hidden" } },
      prompts: { system: "${HOME}" },
      tolls: [],
    },
  };
  const broken = checkAgentDocument(document, { env: { HOME: "/root" } });
  expect(broken.definition).toBeNull();
  expect(broken.errors).toEqual([
    {
      path: "spec.prompts.system",
      message: "a document sent by API may name variables only in api_key and config; write $${ for a plain ${",
    },
    { path: "spec", message: 'unknown key "tolls"; did you mean "tools"?' },
    { path: "spec.model.primary.provider", message: 'unknown provider "olama"; did you mean "ollama"?' },
  ]);
  const literal = {
    ...document,
    spec: { model: { primary: { provider: "openai", model: "m", api_key: "sk-hidden" } } },
  };
  expect(checkAgentDocument(literal, { env: {} }).errors).toEqual([
    { path: "spec.model.primary.api_key", message: "a document sent by API names a variable, such as ${MY_KEY}" },
  ]);
  const reference = {
    ...document,
    spec: {
      model: { primary: { provider: "openai", model: "m", api_key: "${K}" } },
      guardrails: { input: [{ type: "x" }] },
    },
  };
  const good = checkAgentDocument(reference, { env: { K: "v" } });
  expect(good.errors).toEqual([]);
  expect(good.definition?.model.default.candidates[0]?.apiKey).toEqual({ from: "env", name: "K" });
  expect(good.notices).toEqual(["spec.guardrails: accepted, but has no effect in this version"]);
});

test("a hostile document is an error like any other", () => {
  const deep = JSON.parse(`{"spec":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`) as never;
  expect(checkAgentDocument(deep, { env: {} }).errors).toEqual([{ path: "", message: "nested deeper than 64 levels" }]);
  const proto =
    '{"apiVersion":"astromesh/v1","kind":"Agent","metadata":{"name":"x"},"spec":{"__proto__":{"tools":[]}}}';
  expect(checkAgentDocument(JSON.parse(proto) as never, { env: {} }).errors).toEqual([
    { path: "spec", message: 'unknown key "__proto__"' },
  ]);
});

test("anything at all gives errors, never an exception", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const document = { apiVersion: "astromesh/v1", kind: "Agent", metadata: { name: "x" }, spec: value };
      const checked = checkAgentDocument(document as never, { env: {} });
      expect(checked.definition === null).toBe(checked.errors.length > 0);
    }),
  );
});

test("property: a definition is the same from YAML and from JSON, and its digest ignores the order of keys", () => {
  const tool = fc.record({ name: fc.stringMatching(/^[a-z_]{1,12}$/), approval: fc.constantFrom("never", "ask") });
  const spec = fc.record(
    {
      identity: fc.record({ description: fc.string() }),
      tools: fc.uniqueArray(tool, { selector: ({ name }) => name, maxLength: 4 }),
      prompts: fc.record({ system: fc.string().filter((text) => !text.includes("${")) }),
      orchestration: fc.record({
        max_iterations: fc.integer({ min: 1, max: 1000 }),
        options: fc.constant({ a: [1, null] }),
      }),
      labels: fc.constant(undefined),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(spec, (generated) => {
      const { labels: _, ...fields } = generated;
      const envelope = { apiVersion: "astromesh/v1", kind: "Agent", metadata: { name: "a" } };
      const byApi = checkAgentDocument({ ...envelope, spec: fields }, { env: {} });
      const reversed = Object.fromEntries(Object.entries({ ...envelope, spec: fields }).toReversed());
      const { agents, rejected } = load({ "a.agent.yaml": stringify(reversed) });
      expect(rejected).toEqual([]);
      const byFile = agents.find(({ definition }) => definition.name === "a");
      expect(byFile?.definition).toEqual(byApi.definition);
      expect(byApi.definition && digestOf(byApi.definition)).toBe(byFile?.digest);
    }),
    { numRuns: 50 },
  );
});
