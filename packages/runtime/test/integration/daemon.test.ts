import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { temporaryDirectory } from "../fakes/index.ts";
import { daemonCommand, spawnChild, waitFor } from "../harness/index.ts";
import type { TestChild } from "../harness/index.ts";
import { agentFile, testNode, testProvider } from "./test-node.ts";

/** A daemon that is not expected to serve. */
function astromeshd(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): TestChild {
  const [command, own] = daemonCommand();
  return spawnChild(command, [...own, ...args], { cwd, env: { PATH: process.env["PATH"], HOME: cwd, ...env } });
}

const RUNTIME =
  "apiVersion: astromesh/v1\nkind: RuntimeConfig\nmetadata: { name: t }\nspec: { api: { host: 127.0.0.1, port: 0 } }\n";

describe("the command line", () => {
  test("without a configuration it ends with 2 and names the four places", async () => {
    const child = astromeshd([], temporaryDirectory());
    expect(await child.exited).toBe(2);
    for (const place of ["--config", "$ASTROMESH_CONFIG_DIR", "/etc/astromesh", "./config"]) {
      expect(child.output()).toContain(place);
    }
  });

  test("--version prints the version; a wrong flag or port is 2", async () => {
    const directory = temporaryDirectory();
    const version = astromeshd(["--version"], directory);
    expect(await version.exited).toBe(0);
    expect(version.output().trim()).toMatch(/^\d+\.\d+\.\d+$/);
    const wrong = astromeshd(["--nonsense"], directory);
    expect(await wrong.exited).toBe(2);
    const port = astromeshd(["--port", "70000"], directory);
    expect(await port.exited).toBe(2);
    expect(port.output()).toContain("--port: expected a whole number from 0 to 65535");
  });

  test("every error of runtime.yaml comes at once, with its place", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "config"));
    writeFileSync(
      join(directory, "config/runtime.yaml"),
      "apiVersion: astromesh/v1\nkind: RuntimeConfig\nmetadata: { name: t }\nspec:\n  api: { prot: 1 }\n  services:\n    agents: maybe\n",
    );
    const child = astromeshd([], directory);
    expect(await child.exited).toBe(2);
    expect(child.output()).toMatch(/config\/runtime\.yaml:5:\d+ .*prot.*did you mean "port"/);
    expect(child.output()).toMatch(/config\/runtime\.yaml:7:\d+ .*agents/);
  });

  test("--check is 0 when everything is valid, and 2 with file:line:col when an agent or its prompt is not", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "config/agents"), { recursive: true });
    writeFileSync(join(directory, "config/runtime.yaml"), RUNTIME);
    const good = astromeshd(["--check"], directory);
    expect(await good.exited).toBe(0);
    expect(good.output()).toContain("ok: 1 agents (default)");
    const agent = (system: string): string =>
      `apiVersion: astromesh/v1\nkind: Agent\nmetadata: { name: a }\nspec:\n  identity: { description: x }\n  prompts: { system: "${system}" }\n`;
    writeFileSync(join(directory, "config/agents/bad.agent.yaml"), `${agent("x")}  promts: {}\n`);
    writeFileSync(
      join(directory, "config/agents/open.agent.yaml"),
      agent("{{ agent.name").replace("name: a", "name: b"),
    );
    const bad = astromeshd(["--check"], directory);
    expect(await bad.exited).toBe(2);
    expect(bad.output()).toMatch(/error: config\/agents\/bad\.agent\.yaml:7:3 .*promts.*did you mean "prompts"/);
    expect(bad.output()).toMatch(/error: config\/agents\/open\.agent\.yaml spec\.prompts\.system: line 1/);
    expect(existsSync(join(directory, ".astromesh"))).toBe(false);
  });
});

describe("the PID file and the data directory", () => {
  test("a second daemon on them is refused and names the pid of the first; the file goes with the node", async () => {
    const node = testNode();
    await node.start();
    const pidFile = join(node.dataDirectory, "astromeshd.pid");
    expect(readFileSync(pidFile, "utf8")).toBe(`${node.child.pid}\n`);
    const env = { ASTROMESH_DATA_DIR: node.dataDirectory };
    const args = ["--config", node.configDirectory, "--port", "0"];
    const second = astromeshd(args, node.directory, env);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`astromeshd is already running with pid ${node.child.pid}`);
    const third = astromeshd([...args, "--pid-file", join(node.directory, "other.pid")], node.directory, env);
    expect(await third.exited).toBe(1);
    expect(third.output()).toContain(`is in use by the astromeshd with pid ${node.child.pid}`);
    expect(await node.stop()).toBe(0);
    expect(existsSync(pidFile)).toBe(false);
  });

  test("a stale file is replaced, and the node keeps its identity over a crash", async () => {
    const node = testNode();
    await node.start();
    const nodeId = node.logged("Bootstrap runtime")[0]?.["node_id"];
    await node.kill();
    await node.start();
    expect(node.logged("A stale PID file is replaced")).toHaveLength(1);
    expect(node.logged("Bootstrap runtime")[0]).toMatchObject({ node_id: nodeId, boot: 2 });
    expect(readFileSync(join(node.dataDirectory, "astromeshd.pid"), "utf8")).toBe(`${node.child.pid}\n`);
  });
});

test("the service manager is told of readiness, reloads and the end", async () => {
  const path = join(temporaryDirectory(), "notify.sock");
  const dgram = createRequire(import.meta.url)("unix-dgram") as {
    createSocket(type: string, listener: (message: Buffer) => void): { bind(path: string): void; close(): void };
  };
  const told: string[] = [];
  const manager = dgram.createSocket("unix_dgram", (message) => told.push(message.toString().split("\n")[0] ?? ""));
  manager.bind(path);
  const node = testNode({ env: { NOTIFY_SOCKET: path } });
  await node.start();
  await waitFor("READY=1", () => told.length === 1);
  node.child.kill("SIGHUP");
  await waitFor("the reload", () => told.length === 3);
  expect(await node.stop()).toBe(0);
  await waitFor("STOPPING=1", () => told.length === 4);
  manager.close();
  expect(told).toEqual(["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
});

describe("SIGHUP", () => {
  const names = async (node: ReturnType<typeof testNode>): Promise<string[]> => {
    const { agents } = (await (await node.fetch("/v1/agents")).json()) as { agents: { name: string }[] };
    return agents.map(({ name }) => name).toSorted();
  };

  test("adds, changes and removes agents; a broken file is reported and the agent before it stays", async () => {
    const provider = await testProvider();
    const node = testNode({ files: { "agents/a.agent.yaml": agentFile("a", provider) } });
    await node.start();
    expect(await names(node)).toEqual(["a", "default"]);
    node.write("agents/b.agent.yaml", agentFile("b", provider));
    node.child.kill("SIGHUP");
    await waitFor("the new agent", async () => (await names(node)).includes("b"));
    node.write("agents/a.agent.yaml", `${agentFile("a", provider).slice(0, -1)}, "speck": {}}`);
    node.child.kill("SIGHUP");
    const report = await waitFor("the second reload", () => node.logged("Configuration reloaded")[1]);
    expect(report).toMatchObject({ errors: 1 });
    expect(node.child.output()).toMatch(/config\/agents\/a\.agent\.yaml:1:\d+ .*speck/);
    const response = await node.fetch("/v1/agents/a/run", { json: { query: "still there?" } });
    expect(response.status).toBe(200);
  });

  test("changes nothing at all when runtime.yaml or providers.yaml is broken", async () => {
    const provider = await testProvider();
    const node = testNode();
    await node.start();
    node.write("agents/b.agent.yaml", agentFile("b", provider));
    node.write("providers.yaml", "apiVersion: astromesh/v1\nkind: ProviderConfig\nspec: { provders: {} }\n");
    node.child.kill("SIGHUP");
    await waitFor("the refusal", () => node.logged("Configuration not reloaded: nothing was changed")[0]);
    expect(node.child.output()).toMatch(/providers\.yaml:3:\d+ .*provders/);
    expect(await names(node)).toEqual(["default"]);
    const refused = await node.fetch("/v1/system/reload", { method: "POST" });
    expect(refused.ok).toBe(false);
    expect(await refused.json()).toMatchObject({ code: "config_invalid" });
  });

  test("says which settings wait for the next start", async () => {
    const node = testNode();
    await node.start();
    const text = readFileSync(join(node.configDirectory, "runtime.yaml"), "utf8");
    node.write("runtime.yaml", text.replace("host: 127.0.0.1", "host: 127.0.0.1, cors_origins: [http://x]"));
    node.child.kill("SIGHUP");
    await waitFor("the warning", () => node.logged("api.cors_origins changed: it takes effect at the next start")[0]);
  });
});

describe("SIGTERM", () => {
  test("during the start ends the node in good order, and SIGHUP then does not kill it", async () => {
    const node = testNode();
    const starting = node.start();
    await waitFor("its first words", () => node.logged("astromeshd started")[0]);
    node.child.kill("SIGHUP");
    node.child.kill("SIGTERM");
    await starting.catch(() => undefined);
    expect(await node.child.exited).toBe(0);
    expect(existsSync(join(node.dataDirectory, "astromeshd.pid"))).toBe(false);
  });

  test("lets the run under way end and be answered, refuses new ones, and exits with 0", async () => {
    const provider = await testProvider();
    const node = testNode({ files: { "agents/a.agent.yaml": agentFile("a", provider) } });
    await node.start();
    await provider.hold("end");
    const answer = node.fetch("/v1/agents/a/run", { json: { query: "one" } });
    await provider.reached("end");
    const ended = node.stop();
    await node.child.says("Wait for in-flight requests to complete");
    const refused = await node.fetch("/v1/agents/a/run", { json: { query: "two" } });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("connection")).toBe("close");
    expect(await refused.json()).toMatchObject({ code: "draining" });
    expect((await node.fetch("/health")).status).toBe(200);
    const ready = await node.fetch("/ready");
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ reasons: ["draining"] });
    await provider.release("end");
    expect((await answer).status).toBe(200);
    expect(await ended).toBe(0);
  });

  test("a run that is longer than the drain goes on at the next start", async () => {
    const provider = await testProvider();
    const node = testNode({
      files: {
        "agents/a.agent.yaml": agentFile("a", provider),
        "runtime.yaml": RUNTIME.replace("port: 0 }", "port: 0 }, runs: { drain: 200ms }"),
      },
    });
    await node.start();
    await provider.hold("end");
    const accepted = await node.fetch("/v1/runs", { json: { agent: "a", query: "one" } });
    const { run_id: runId } = (await accepted.json()) as { run_id: string };
    await provider.reached("end");
    expect(await node.stop()).toBe(0);
    await provider.release("end");
    await node.start();
    await waitFor("the run's end", async () => {
      const run = (await (await node.fetch(`/v1/runs/${runId}`)).json()) as { status: string };
      return run.status === "completed";
    });
  });

  test("a second signal does not wait", async () => {
    const provider = await testProvider();
    const node = testNode({ files: { "agents/a.agent.yaml": agentFile("a", provider) } });
    await node.start();
    await provider.hold("end");
    await node.fetch("/v1/runs", { json: { agent: "a", query: "one" } });
    await provider.reached("end");
    const ended = node.stop();
    await node.child.says("Wait for in-flight requests to complete");
    node.child.kill("SIGINT");
    expect(await ended).toBe(1);
  });
});

test("a database that no retry can mend, or a port that is taken, ends the start with a reason", async () => {
  const node = testNode();
  await node.start();
  const taken = testNode({ args: ["--port", String(node.port)] });
  await expect(taken.start()).rejects.toThrow(`cannot listen on 127.0.0.1:${node.port}`);
  expect(await taken.child.exited).toBe(2);
  expect(existsSync(join(taken.dataDirectory, "astromeshd.pid"))).toBe(false);
  await node.stop();
  writeFileSync(join(node.dataDirectory, "astromesh.db"), "this is no database, whatever its name says");
  await expect(node.start()).rejects.toThrow("the process ended");
  expect(await node.child.exited).toBe(1);
  expect(node.child.output()).toMatch(/"level":"error".*not a database/);
});

test("without its database a node listens, says so on /ready, and goes on when it is back", async () => {
  const node = testNode({ env: { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" } });
  await node.start();
  expect((await node.fetch("/health")).status).toBe(200);
  const ready = await node.fetch("/ready");
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain("database: postgres is not ready");
  const run = await node.fetch("/v1/agents/default/run", { json: { query: "hello" } });
  expect(run.status).toBe(503);
  expect(await node.stop()).toBe(0);
});
