import { join } from "node:path";

import { expect, test } from "vitest";

import { configTree } from "../../test/fakes/index.ts";
import { findProfilesDir } from "./profiles.ts";
import { resolveNodeConfig } from "./resolve.ts";

const SERVICES = ["api", "agents", "inference", "memory", "tools", "channels", "rag", "observability", "mesh"];

// The service matrix of the profiles' reference, in its order of rows; mesh-full is full with a mesh.
const MATRIX = {
  full: "yyyyyyyy-",
  gateway: "y----y-y-",
  worker: "yy-yy-yy-",
  inference: "y-y----y-",
  "mesh-full": "yyyyyyyyy",
  "mesh-gateway": "y----y-yy",
  "mesh-worker": "yy-yy-yyy",
  "mesh-inference": "y-y----yy",
};

function withEnv(env: Record<string, string>, cwd = configTree({})) {
  const system = { config: join(cwd, "etc"), data: join(cwd, "lib"), run: join(cwd, "run") };
  return resolveNodeConfig({ flags: {}, env, cwd, system, hostname: "box" });
}

test.each(Object.entries(MATRIX))("%s enables exactly its services", (profile, row) => {
  const resolved = withEnv({ ASTROMESH_PROFILE: profile });
  if (!resolved.ok) throw new Error(resolved.errors.join("\n"));
  const { services, mesh, api, role } = resolved.config;
  const enabled = Object.entries({ ...services, mesh: mesh.enabled }).filter(([, on]) => on);
  expect(enabled.map(([name]) => name)).toEqual(SERVICES.filter((_, index) => row[index] === "y"));
  expect([api.host, api.port]).toEqual(["0.0.0.0", 8000]);
  expect(role).toBe(profile.replace("mesh-", ""));
});

test("static profiles name their peers, mesh profiles their seeds and timers", () => {
  const of = (profile: string) => {
    const resolved = withEnv({ ASTROMESH_PROFILE: profile });
    if (!resolved.ok) throw new Error(resolved.errors.join("\n"));
    return resolved.config;
  };
  expect(of("gateway").peers).toEqual([
    { name: "worker-1", url: "http://worker:8000", services: ["agents", "tools", "memory", "rag"] },
  ]);
  expect(of("worker").peers).toEqual([{ name: "inference-1", url: "http://inference:8000", services: ["inference"] }]);
  expect(of("mesh-gateway")).toMatchObject({ name: "gateway", mesh: { seeds: [] } });
  expect(of("mesh-worker")).toMatchObject({
    name: "worker",
    mesh: {
      seeds: ["http://gateway:8000"],
      heartbeatIntervalMs: 5000,
      gossipIntervalMs: 2000,
      gossipFanout: 3,
      failureTimeoutMs: 15_000,
      deadTimeoutMs: 30_000,
    },
  });
});

test.each([
  [{ ASTROMESH_ROLE: "gateway" }, "gateway"],
  [{ ASTROMESH_ROLE: "gateway", ASTROMESH_MESH_ENABLED: "false" }, "gateway"],
  [{ ASTROMESH_ROLE: "inference", ASTROMESH_MESH_ENABLED: "true" }, "mesh-inference"],
  [{ ASTROMESH_MESH_ENABLED: "true" }, "mesh-full"],
  [{ ASTROMESH_MESH_ENABLED: "false" }, "full"],
  [{ ASTROMESH_PROFILE: "worker", ASTROMESH_MESH_ENABLED: "true" }, "worker"],
])("%j begins with %s", (env, profile) => {
  const resolved = withEnv(env);
  expect(resolved.ok && resolved.config.profile).toBe(profile);
});

test("a profile may be a file, and an unknown one is an error that lists them", () => {
  const text = "apiVersion: astromesh/v1\nkind: RuntimeConfig\nspec: { api: { port: 7777 } }\n";
  const cwd = configTree({ "mine/custom-worker.yaml": text });
  const resolved = withEnv({ ASTROMESH_PROFILE: "mine/custom-worker.yaml" }, cwd);
  expect(resolved.ok && resolved.config).toMatchObject({ profile: "custom-worker", api: { port: 7777 } });
  const missing = withEnv({ ASTROMESH_PROFILE: "mine/other.yaml" }, cwd);
  expect(!missing.ok && missing.errors).toEqual(["ASTROMESH_PROFILE: there is no file mine/other.yaml"]);
  const unknown = withEnv({ ASTROMESH_PROFILE: "mesh-wroker" });
  expect(!unknown.ok && unknown.errors).toEqual([
    'ASTROMESH_PROFILE: there is no profile "mesh-wroker"; there are full, gateway, inference, mesh-full, ' +
      'mesh-gateway, mesh-inference, mesh-worker, worker; did you mean "mesh-worker"?',
  ]);
});

test("the profiles are found from the sources and from a build beside them", () => {
  const here = findProfilesDir();
  expect(here).toMatch(/config[/\\]profiles$/);
  const cwd = configTree({ "pkg/config/profiles/full.yaml": "", "pkg/dist/config/index.js": "" });
  expect(findProfilesDir(join(cwd, "pkg/dist/config"))).toBe(join(cwd, "pkg/config/profiles"));
  expect(findProfilesDir("/")).toBeNull();
});
