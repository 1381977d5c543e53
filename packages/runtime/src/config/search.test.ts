import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { configTree } from "../../test/fakes/index.ts";
import { resolveNodeConfig, type ConfigInput } from "./resolve.ts";

const FILE = "apiVersion: astromesh/v1\nkind: RuntimeConfig\n";

function places(cwd: string, input: Partial<ConfigInput> = {}) {
  const system = { config: join(cwd, "etc"), data: join(cwd, "var/lib"), run: join(cwd, "var/run") };
  const resolved = resolveNodeConfig({ flags: {}, env: {}, cwd, system, ...input });
  if (!resolved.ok) return { errors: resolved.errors };
  return { ...resolved.config.places, mode: resolved.config.mode, warnings: resolved.warnings };
}

test("the flag, the variable, the system's folder and ./config, in this order", () => {
  const files = {
    "a/runtime.yaml": FILE,
    "b/runtime.yaml": FILE,
    "etc/runtime.yaml": FILE,
    "config/runtime.yaml": FILE,
  };
  const cwd = configTree(files);
  const env = { ASTROMESH_CONFIG_DIR: "b" };
  expect(places(cwd, { flags: { config: "a" }, env })).toMatchObject({ configFile: join(cwd, "a/runtime.yaml") });
  expect(places(cwd, { env })).toMatchObject({ configFile: join(cwd, "b/runtime.yaml") });
  expect(places(cwd)).toMatchObject({ configFile: join(cwd, "etc/runtime.yaml") });
  expect(places(configTree({ "config/runtime.yaml": FILE }))).toMatchObject({ mode: "dev" });
});

test("a folder without runtime.yaml is passed over, with a warning when it was named", () => {
  const cwd = configTree({ "config/runtime.yaml": FILE, "empty/x": "" });
  const found = places(cwd, { flags: { config: "empty" }, env: { ASTROMESH_CONFIG_DIR: "nowhere" } });
  expect(found).toMatchObject({
    configFile: join(cwd, "config/runtime.yaml"),
    warnings: [
      `--config: ${join(cwd, "empty")} holds no runtime.yaml; using ${join(cwd, "config")}`,
      `ASTROMESH_CONFIG_DIR: ${join(cwd, "nowhere")} holds no runtime.yaml; using ${join(cwd, "config")}`,
    ],
  });
});

test("--config takes a single file, and a path that is not there is an error", () => {
  const cwd = configTree({ "deep/node.yaml": FILE, "config/runtime.yaml": FILE });
  expect(places(cwd, { flags: { config: "deep/node.yaml" } })).toMatchObject({
    configFile: join(cwd, "deep/node.yaml"),
    configDir: join(cwd, "deep"),
  });
  expect(places(cwd, { flags: { config: "nowhere" } })).toEqual({
    errors: ["--config: there is no file or folder nowhere"],
  });
});

test("nothing found and nothing asked for: an error that names all four places", () => {
  const cwd = configTree({});
  const { errors } = places(cwd, { env: { ASTROMESH_CONFIG_DIR: "there" } }) as { errors: string[] };
  expect(errors).toEqual([
    `no runtime.yaml found in --config (not given), $ASTROMESH_CONFIG_DIR there, ${join(cwd, "etc")}, ./config; ` +
      'write one with "astromeshctl init", or set ASTROMESH_ROLE',
  ]);
});

test("a role needs no runtime.yaml, and agents come from the first folder that exists", () => {
  const cwd = configTree({ "etc/agents/a.agent.yaml": "" });
  expect(places(cwd, { env: { ASTROMESH_ROLE: "worker" } })).toMatchObject({
    configFile: null,
    configDir: join(cwd, "etc"),
    mode: "system",
  });
  expect(places(configTree({}), { env: { ASTROMESH_MESH_ENABLED: "false" } })).toMatchObject({ configDir: null });
});

test("data and PID file stand under /var only for the system's configuration", () => {
  const system = configTree({ "etc/runtime.yaml": FILE });
  expect(places(system)).toMatchObject({
    mode: "system",
    dataDir: join(system, "var/lib"),
    pidFile: join(system, "var/run/astromeshd.pid"),
  });
  expect(places(system, { env: { ASTROMESH_DATA_DIR: "data" }, flags: { pidFile: "x.pid" } })).toMatchObject({
    dataDir: join(system, "data"),
    pidFile: join(system, "x.pid"),
  });
  const own = configTree({ "config/runtime.yaml": FILE });
  expect(places(own)).toMatchObject({
    dataDir: join(own, ".astromesh"),
    pidFile: join(own, ".astromesh/astromeshd.pid"),
  });
  expect(places(own, { env: { ASTROMESH_DATA_DIR: "/data" } })).toMatchObject({ pidFile: "/data/astromeshd.pid" });
});

test("a folder named runtime.yaml is no settings file", () => {
  const cwd = configTree({ "config/agents/x": "" });
  mkdirSync(join(cwd, "config/runtime.yaml"));
  expect(places(cwd)).toHaveProperty("errors");
});
