import { join } from "node:path";

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";

import { configTree } from "../../test/fakes/index.ts";
import { resolveNodeConfig, type ConfigInput } from "./resolve.ts";

const HEAD = "apiVersion: astromesh/v1\nkind: RuntimeConfig\nspec:\n";

function resolve(cwd: string, input: Partial<ConfigInput> = {}) {
  const system = { config: join(cwd, "etc"), data: join(cwd, "var/lib"), run: join(cwd, "var/run") };
  return resolveNodeConfig({ flags: {}, env: {}, cwd, system, hostname: "box", ...input });
}

function good(cwd: string, input: Partial<ConfigInput> = {}) {
  const resolved = resolve(cwd, input);
  if (!resolved.ok) throw new Error(resolved.errors.join("\n"));
  return resolved;
}

function errors(spec: string, input: Partial<ConfigInput> = {}): readonly string[] {
  const resolved = resolve(configTree({ "config/runtime.yaml": HEAD + spec }), input);
  return resolved.ok ? [] : resolved.errors;
}

function originOf(resolved: ReturnType<typeof good>, path: string): unknown {
  const entry = resolved.origins.find((origin) => origin.path === path);
  return entry === undefined ? undefined : [entry.value, entry.origin];
}

test("an empty spec is a whole configuration", () => {
  const { config, warnings, notices } = good(configTree({ "config/runtime.yaml": HEAD }));
  expect(config).toMatchObject({ name: "box", role: "full", profile: null, mode: "dev", workers: 1 });
  expect(config.api).toMatchObject({ host: "0.0.0.0", port: 8000, bodySizeBytes: 1_048_576 });
  expect(config.runs).toMatchObject({ leaseMs: 15_000, timeoutMs: 3_600_000, drainMs: 30_000 });
  expect([warnings, notices]).toEqual([[], []]);
});

test("every error at once, sorted, with its place", () => {
  const spec = `  api:
    prot: 9000
    port: "abc"
    host: 5
    limits: { body_size: 1XB }
    auth:
      keys: [{ name: ops, key: sk-tiny, scopes: [amdin] }]
  services:
    agents: yes
    inference: { }
  mesh:
    dead_timeout: 5x
    gossip_fanout: 0
    heartbeat_interval: 0
  peers: [{ name: a b, url: ftp://x, services: [] }]
  store:
    url: mysql://u:hidden-password@h/d
  observability:
    log_level: \${LEVEL}
    otlp: { headers: [secret] }
`;
  expect(errors(spec)).toEqual([
    'config/runtime.yaml:5:5 spec.api: unknown key "prot"; did you mean "port"?',
    'config/runtime.yaml:6:11 spec.api.port: expected a number, got "abc"',
    "config/runtime.yaml:7:11 spec.api.host: expected text, got 5",
    "config/runtime.yaml:8:26 spec.api.limits.body_size: expected a size such as 64KiB, 1MiB, or a number of bytes",
    "config/runtime.yaml:10:32 spec.api.auth.keys[0].key: must have at least 8 characters",
    'config/runtime.yaml:10:50 spec.api.auth.keys[0].scopes[0]: expected one of run, read, approve, admin, got "amdin"; did you mean "admin"?',
    'config/runtime.yaml:12:13 spec.services.agents: expected true or false, got "yes"',
    "config/runtime.yaml:13:16 spec.services.inference: expected true or false, got a mapping",
    "config/runtime.yaml:15:19 spec.mesh.dead_timeout: expected a duration such as 500ms, 30s, 5m, 1h, 7d, or a number of seconds",
    "config/runtime.yaml:16:20 spec.mesh.gossip_fanout: must be at least 1",
    "config/runtime.yaml:17:25 spec.mesh.heartbeat_interval: must be above 0",
    "config/runtime.yaml:18:19 spec.peers[0].name: must begin with a letter or digit and hold at most 63 letters, digits, dots, dashes and underscores",
    "config/runtime.yaml:18:29 spec.peers[0].url: expected an http:// or https:// address",
    "config/runtime.yaml:18:48 spec.peers[0].services: must not be empty",
    "config/runtime.yaml:20:10 spec.store.url: expected a postgres:// address",
    "config/runtime.yaml:22:16 spec.observability.log_level: variable LEVEL is not set",
    "config/runtime.yaml:23:22 spec.observability.otlp.headers: expected a mapping, got a list",
  ]);
});

test("errors of flags, variables and files come together", () => {
  const env = {
    ASTROMESH_MESH_ENABLED: "yes",
    ASTROMESH_ROLE: "wrker",
    ASTROMESH_API_KEYS: "a:b:c:d,ops:0123456789abcdef:amdin,short",
    ASTROMESH_MESH_SECRET: "tiny",
    DATABASE_URL: "mysql://u:hidden@h",
    OTEL_EXPORTER_OTLP_HEADERS: "hidden",
  };
  expect(errors("  prot: 1\n", { env, flags: { port: "zz", logLevel: "inf", workers: "0" } })).toEqual([
    '--port: expected a whole number from 0 to 65535, got "zz"',
    '--workers: expected a whole number from 1 to 256, got "0"',
    '--log-level: expected one of debug, info, warning, error, got "inf"; did you mean "info"?',
    'ASTROMESH_ROLE: expected one of full, gateway, worker, inference, got "wrker"; did you mean "worker"?',
    'ASTROMESH_MESH_ENABLED: expected true or false, got "yes"',
    "ASTROMESH_MESH_SECRET: entry 1: must have at least 8 characters",
    "ASTROMESH_API_KEYS: entry 1: expected key, name:key or name:key:scope+scope",
    "ASTROMESH_API_KEYS: entry 2: scopes are run, read, approve, admin, joined by +",
    "ASTROMESH_API_KEYS: entry 3: a key must have at least 8 characters, and its name one",
    "DATABASE_URL: expected an address that begins with postgres:// or postgresql://",
    "OTEL_EXPORTER_OTLP_HEADERS: entry 1: expected name=value",
    'config/runtime.yaml:4:3 spec: unknown key "prot"',
  ]);
});

test("errors between settings stand where the setting was made", () => {
  const spec = `  mesh:
    dead_timeout: 10
    seeds: [gateway:8000, "a b"]
  store: { type: postgres }
  api:
    grpc_port: 8000
    auth: { keys: [{ name: a, key: aaaaaaaaaaaaaaaa }, { name: a, key: aaaaaaaaaaaaaaaa }] }
`;
  expect(errors(spec)).toEqual([
    "config/runtime.yaml:5:19 spec.mesh.dead_timeout: must be above mesh.failure_timeout (15)",
    "config/runtime.yaml:6:27 spec.mesh.seeds[1]: expected host:port or an http:// address",
    "config/runtime.yaml:7:18 spec.store.type: postgres needs store.url or DATABASE_URL",
    "config/runtime.yaml:9:16 spec.api.grpc_port: must differ from api.port",
    "config/runtime.yaml:10:64 spec.api.auth.keys[1].name: another key has this name",
    "config/runtime.yaml:10:72 spec.api.auth.keys[1].key: another name has the same key",
  ]);
});

test("an error between a setting and a default stands at the setting", () => {
  expect(errors("  mesh: { heartbeat_interval: 20s }\n")).toEqual([
    "config/runtime.yaml:4:31 spec.mesh.heartbeat_interval: must be below mesh.failure_timeout (15)",
  ]);
});

test("faults through anchors and merge keys stand where their text does", () => {
  const spec = `  peers:
    - &one { name: one, url: http://one, services: [agents], prt: 1 }
    - { <<: *one, name: two, url: nowhere }
`;
  expect(errors(spec)).toEqual([
    'config/runtime.yaml:5:62 spec.peers[0]: unknown key "prt"',
    'config/runtime.yaml:5:62 spec.peers[1]: unknown key "prt"',
    "config/runtime.yaml:6:35 spec.peers[1].url: expected an http:// or https:// address",
  ]);
});

test("a document of another kind, an empty and an unreadable one are errors", () => {
  const kinds = ["kind: RuntimeConfg\n", "", "a: [\n"].map((text) => {
    const resolved = resolve(configTree({ "config/runtime.yaml": text }));
    return resolved.ok ? [] : resolved.errors;
  });
  expect(kinds[0]).toEqual([
    'config/runtime.yaml:1:7 kind: expected one of RuntimeConfig, NodeConfig, got "RuntimeConfg"; did you mean "RuntimeConfig"?',
  ]);
  expect(kinds[1]).toEqual(["config/runtime.yaml:1:1 the file is empty"]);
  expect(kinds[2]?.[0]).toMatch(/^config\/runtime\.yaml:\d+:\d+ YAML: /);
});

test("variables become text, numbers and booleans as the setting wants; empty keys count as absent", () => {
  const spec = `  api:
    port: \${PORT}
    host: \${HOST:-127.0.0.1}
    cors_origins:
  services: { rag: "\${RAG}" }
  peers:
`;
  const cwd = configTree({ "config/runtime.yaml": HEAD + spec });
  const { config } = good(cwd, { env: { PORT: "9001", RAG: "false" } });
  expect(config.api).toMatchObject({ port: 9001, host: "127.0.0.1", corsOrigins: [] });
  expect(config.services.rag).toBe(false);
  const wrong = resolve(cwd, { env: { PORT: "secret-text", RAG: "maybe" } });
  expect(!wrong.ok && wrong.errors).toEqual([
    "config/runtime.yaml:5:11 spec.api.port: expected a number, got text",
    "config/runtime.yaml:8:20 spec.services.rag: expected true or false, got text",
  ]);
});

test("default < profile < file < environment < flag, each with its origin", () => {
  const file = `${HEAD}  api: { port: 7001 }\n  observability: { log_level: debug }\n  mesh: { node_name: from-file }\n`;
  const cwd = configTree({ "config/runtime.yaml": file });
  const env = { ASTROMESH_ROLE: "worker", ASTROMESH_NODE_NAME: "from-env", ASTROMESH_LOG_LEVEL: "error" };
  const all = good(cwd, { env, flags: { logLevel: "warning" } });
  expect(originOf(all, "api.cors_origins")).toEqual([[], "default"]);
  expect(originOf(all, "services.inference")).toEqual([false, "profile worker"]);
  expect(originOf(all, "api.port")).toEqual([7001, "config/runtime.yaml:4:16"]);
  expect(originOf(all, "mesh.node_name")).toEqual(["from-env", "ASTROMESH_NODE_NAME"]);
  expect(originOf(all, "observability.log_level")).toEqual(["warning", "--log-level"]);
  expect(originOf(all, "role")).toEqual(["worker", "ASTROMESH_ROLE"]);
  expect(all.config).toMatchObject({ name: "from-env", role: "worker", observability: { logLevel: "warn" } });
  const fewer = good(cwd, { env: { ASTROMESH_LOG_LEVEL: "error" } });
  expect(originOf(fewer, "observability.log_level")).toEqual(["error", "ASTROMESH_LOG_LEVEL"]);
  expect(originOf(fewer, "mesh.node_name")).toEqual(["from-file", "config/runtime.yaml:6:22"]);
});

test("lists are replaced, not mixed, and an error in a merged setting names the variable", () => {
  const cwd = configTree({ "config/runtime.yaml": `${HEAD}  peers: []\n  mesh: { seeds: [a:1, b:2] }\n` });
  const { config } = good(cwd, { env: { ASTROMESH_ROLE: "gateway", ASTROMESH_MESH_SEEDS: "c:3, http://d:4/" } });
  expect(config.peers).toEqual([]);
  expect(config.mesh.seeds).toEqual(["http://c:3", "http://d:4"]);
});

test("a role whose services a file sets otherwise is a warning", () => {
  const cwd = configTree({ "config/runtime.yaml": `${HEAD}  services:\n    agents: false\n` });
  expect(good(cwd, { env: { ASTROMESH_ROLE: "worker" } }).warnings).toEqual([
    "ASTROMESH_ROLE: the role is worker, but the services are set otherwise (config/runtime.yaml:5:13)",
  ]);
});

test("what a variable sets is checked like what a file sets", () => {
  const cwd = configTree({ "config/runtime.yaml": HEAD });
  const env = {
    ASTROMESH_API_KEYS: "my name:0123456789abcdef",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://user:hidden@collector",
  };
  const resolved = resolve(cwd, { env });
  expect(!resolved.ok && resolved.errors).toEqual([
    "ASTROMESH_API_KEYS: spec.api.auth.keys[0].name: must begin with a letter or digit and hold at most 63 letters, digits, dots, dashes and underscores",
    "OTEL_EXPORTER_OTLP_ENDPOINT: spec.observability.otlp.endpoint: an address must hold no user or password",
  ]);
});

test("secrets are hidden in the list of settings and stay out of errors", () => {
  const spec = `  api: { auth: { keys: [{ name: ops, key: hidden-key-hidden-key }] } }
  mesh: { secrets: [hidden-secret] }
  store: { url: "postgres://u:hidden-password@db/x" }
  observability: { otlp: { headers: { authorization: hidden } } }
`;
  const cwd = configTree({ "config/runtime.yaml": HEAD + spec });
  const env = { ASTROMESH_API_KEYS: "ci:hidden-hidden-hidden:run+read" };
  const { config, origins, warnings, notices } = good(cwd, { env });
  expect(config.api.keys).toEqual([{ name: "ci", key: "hidden-hidden-hidden", scopes: ["run", "read"] }]);
  expect(config.store).toEqual({ kind: "postgres", url: "postgres://u:hidden-password@db/x", poolSize: 10 });
  expect(JSON.stringify([origins, warnings, notices])).not.toContain("hidden");
  expect(origins.find(({ path }) => path === "store.url")?.value).toBe("postgres://u:***@db/x");
});

test("parts that a later release brings to life say so", () => {
  const spec =
    "  mesh: { enabled: true }\n  peers: [{ name: a, url: http://a, services: [agents] }]\n  redis_url: redis://r\n";
  expect(good(configTree({ "config/runtime.yaml": HEAD + spec })).notices).toEqual([
    "config/runtime.yaml:4:20 spec.mesh.enabled: true is accepted, but has no effect in this version",
    "config/runtime.yaml:6:3 spec.redis_url: accepted, but has no effect in this version",
  ]);
});

test("property: any valid configuration comes back the same from its own listing", () => {
  const duration = fc.oneof(
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: 1, max: 999 }).map((value) => `${value}ms`),
    fc.constantFrom("30s", "5m", "1h", "7d"),
  );
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
  const services = ["api", "agents", "inference", "memory", "tools", "channels", "rag", "observability"];
  const spec = fc.record(
    {
      api: fc.record(
        {
          host: fc.constantFrom("127.0.0.1", "::1"),
          port: fc.integer({ min: 0, max: 65_535 }),
          cors_origins: fc.array(name),
        },
        { requiredKeys: [] },
      ),
      services: fc.dictionary(fc.constantFrom(...services), fc.boolean()),
      peers: fc.uniqueArray(
        fc.record({ name, url: fc.constant("http://peer:8000"), services: fc.subarray(services, { minLength: 1 }) }),
        { selector: (peer) => peer.name },
      ),
      runs: fc.record(
        { concurrency: fc.integer({ min: 1, max: 9999 }), lease: duration, session_wait: duration, timeout: duration },
        { requiredKeys: [] },
      ),
      node: fc.record({ region: name, tags: fc.array(name) }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(spec, (generated) => {
      const document = { apiVersion: "astromesh/v1", kind: "RuntimeConfig", spec: generated };
      const first = good(configTree({ "config/runtime.yaml": stringify(document) }));
      const listed: Record<string, unknown> = {};
      for (const { path, value } of first.origins.filter(
        (entry) => entry.path.includes(".") || entry.path === "peers",
      )) {
        const parts = path.split(".");
        let at = listed;
        for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
        at[parts.at(-1) ?? ""] = value;
      }
      const again = { ...document, spec: listed };
      const second = good(configTree({ "config/runtime.yaml": stringify(again) }));
      const { places: _, store: __, ...rest } = second.config;
      expect(first.config).toMatchObject(rest);
    }),
    { numRuns: 40 },
  );
});
