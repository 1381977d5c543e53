import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { spawnChild, waitFor } from "../../harness/index.ts";
import type { TestChild, TestNode } from "../../harness/index.ts";
import { testNode, testProvider } from "../test-node.ts";
import { agentOn, ask, begin, run, runReaches } from "./answers.ts";
import { expectHealthy, startReady } from "./shared-node.ts";

const isReady = async (node: TestNode): Promise<boolean> => (await node.fetch("/ready")).status === 200;

describe.runIf(canMount())("a full disk", () => {
  test("is said, refuses what cannot be kept, and loses nothing of what was taken", async () => {
    const provider = await testProvider();
    const node = testNode({ files: agentOn(provider, "a") });
    const disk = smallDisk(node.dataDirectory, 4);
    await startReady(node);
    const before = await run(node, "a");
    await provider.hold("end");
    const working = run(node, "a");
    await provider.reached("end");

    disk.fill();
    const accepted: string[] = [];
    const refused = await waitFor("a refusal", async () => {
      const { status, headers, body } = await ask(node, "/v1/runs", {
        json: { agent: "a", query: "x".repeat(20_000) },
      });
      if (status === 202) accepted.push(body.run_id);
      return status !== 202 && { status, headers, body };
    });
    expect(refused).toMatchObject({ status: 503, body: { code: "store_full" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await node.fetch("/health")).status).toBe(200);
    const unready = await node.fetch("/ready");
    expect(unready.status).toBe(503);
    expect(await unready.text()).toContain("full");
    // What is there can be read.
    expect((await ask(node, `/v1/runs/${before.body.run_id}`)).body.status).toBe("completed");
    await provider.release("end");

    disk.free();
    await waitFor("the node is ready again", () => isReady(node));
    expect((await working).body).toMatchObject({ status: "completed", response: "ok" });
    for (const runId of accepted) await runReaches(node, runId, "completed");
    expect((await run(node, "a")).status).toBe(200);
    expectHealthy(node);
    await node.kill();
    await startReady(node);
    for (const runId of [before.body.run_id, ...accepted]) await runReaches(node, runId, "completed");
  });

  test("at the start: a clear end, and a start when there is room", async () => {
    const node = testNode({ env: { OLLAMA_HOST: "http://127.0.0.1:1" } });
    const disk = smallDisk(node.dataDirectory, 1);
    disk.fill();
    await expect(node.start()).rejects.toThrow("ended");
    expect(node.child.output()).toMatch(/data directory cannot be used.*no space left/i);
    disk.free();
    await startReady(node);
    expect((await run(node, "default")).status).toBe(200);
  });
});

describe("a locked database", () => {
  test("is said, runs wait for it beyond their leases, and everything goes on when it is free", async () => {
    const provider = await testProvider();
    const runtime = { apiVersion: "astromesh/v1", kind: "RuntimeConfig", spec: { api: { host: "127.0.0.1" } } };
    const short = { ...runtime, spec: { ...runtime.spec, runs: { lease: "2s" } } };
    const node = testNode({ files: { "runtime.yaml": JSON.stringify(short), ...agentOn(provider, "a") } });
    await startReady(node);
    const before = await run(node, "a");
    await provider.hold("end");
    const working = run(node, "a");
    await provider.reached("end");

    const locker = await lock(join(node.dataDirectory, "astromesh.db"));
    await provider.release("end");
    const refused = await run(node, "a");
    expect(refused).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
    expect(refused.body.detail).toContain("locked");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await isReady(node)).toBe(false);
    expect((await ask(node, `/v1/runs/${before.body.run_id}`)).body.status).toBe("completed");

    locker.kill("SIGKILL");
    expect((await working).body).toMatchObject({ status: "completed", response: "ok" });
    await waitFor("the node is ready again", () => isReady(node));
    expect((await run(node, "a")).status).toBe(200);
    expectHealthy(node);
  });

  test("at the start: the node listens, says so, and goes on with its runs when it is free", async () => {
    const provider = await testProvider();
    const node = testNode({ files: agentOn(provider, "a") });
    await startReady(node);
    await provider.hold("end");
    const runId = await begin(node, "a");
    await provider.reached("end");
    await node.kill();
    await provider.release("end");
    const locker = await lock(join(node.dataDirectory, "astromesh.db"));
    await node.start();
    const ready = await node.fetch("/ready");
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain("database: sqlite is not ready");
    locker.kill("SIGKILL");
    expect((await runReaches(node, runId, "completed", 15_000)).response).toBe("ok");
  });
});

test("a file that is no database is said, and left alone", async () => {
  const node = testNode();
  mkdirSync(node.dataDirectory);
  writeFileSync(join(node.dataDirectory, "astromesh.db"), "this is somebody's letter, not a database\n".repeat(100));
  await expect(node.start()).rejects.toThrow("ended");
  expect(await node.child.exited).toBe(1);
  expect(node.child.output()).toContain("The database file is damaged or no database");
});

/** Another process that holds the database for itself. */
async function lock(path: string): Promise<TestChild> {
  const library = createRequire(import.meta.url).resolve("better-sqlite3");
  const code = `const db = new (require(${JSON.stringify(library)}))(${JSON.stringify(path)}, { timeout: 10000 });
    db.exec("begin exclusive"); console.log("locked"); setInterval(() => {}, 1000);`;
  const child = spawnChild(process.execPath, ["-e", code]);
  onTestFinished(() => child.kill("SIGKILL"));
  await child.says("locked");
  return child;
}

/** A disk of a few MiB in memory, mounted on a directory; it goes with the test. */
function smallDisk(path: string, sizeMiB: number): { fill(): void; free(): void } {
  mkdirSync(path, { recursive: true });
  mountDisk(path, sizeMiB);
  onTestFinished(() => void execFileSync("umount", ["-l", path]));
  const ballast = join(path, "ballast");
  return {
    fill() {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    },
    free: () => rmSync(ballast),
  };
}

function mountDisk(path: string, sizeMiB: number): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs", path], { stdio: "ignore" });
}

/** Only root may mount, and not in every container. */
function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), "astromesh-mount-"));
  try {
    mountDisk(path, 1);
    execFileSync("umount", [path]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
