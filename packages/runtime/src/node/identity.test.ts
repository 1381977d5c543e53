import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, test, vi } from "vitest";

import { temporaryDirectory } from "../../test/fakes/index.ts";
import { spawnChild } from "../../test/harness/index.ts";
import { createIds } from "../core/index.ts";
import { openDataDirectory } from "./identity.ts";

const ids = createIds(Date.now, Math.random);

/** Another process that holds the directory. */
function holder(directory: string) {
  const module = fileURLToPath(new URL("directory-lock.ts", import.meta.url));
  const script = `
    const { lockDirectory } = await import(${JSON.stringify(module)});
    try { console.log("has it by", (await lockDirectory(${JSON.stringify(directory)})).kind); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.message); }`;
  return spawnChild(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
}

describe("identity", () => {
  test("is made once and counts boots", async () => {
    const path = join(temporaryDirectory(), "a", "data");
    const first = await openDataDirectory(path, "alpha", ids);
    expect(first.identity).toMatchObject({ name: "alpha", boot: 1 });
    expect(first.identity.nodeId).toMatch(/^node_[0-9a-z]{26}$/);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    first.lock.release();
    const second = await openDataDirectory(path, "renamed", ids);
    expect(second.identity).toEqual({ nodeId: first.identity.nodeId, name: "renamed", boot: 2 });
    second.lock.release();
  });

  test.each(["", "{}", "not json", '{"node_id":"me","boot":1}'])(
    "a file that says %j stops the start",
    async (text) => {
      const path = temporaryDirectory();
      writeFileSync(join(path, "node.json"), text);
      await expect(openDataDirectory(path, "alpha", ids)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining("node.json") as string,
      });
      expect(readFileSync(join(path, "node.json"), "utf8")).toBe(text);
    },
  );

  test("a place that is a file, or cannot be written, is named", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(openDataDirectory(file, "alpha", ids)).rejects.toMatchObject({ exitCode: 2 });
    if (process.getuid?.() === 0) return;
    const locked = temporaryDirectory();
    chmodSync(locked, 0o500);
    await expect(openDataDirectory(locked, "alpha", ids)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe.each(["flock", "pid"])("the lock, by %s", (kind) => {
  test("is exclusive between processes and free again after kill -9", async () => {
    // An empty PATH has no flock(1).
    if (kind === "pid") vi.stubEnv("PATH", "");
    const path = temporaryDirectory();
    const other = holder(path);
    await other.says(`has it by ${kind}`);
    await expect(openDataDirectory(path, "alpha", ids)).rejects.toMatchObject({
      exitCode: 1,
      message: `the data directory ${path} is in use by the astromeshd with pid ${other.pid}`,
    });
    other.kill("SIGKILL");
    await other.exited;
    const mine = await openDataDirectory(path, "alpha", ids);
    expect(mine.lock.kind).toBe(kind);
    const third = holder(path);
    await third.says("is in use by");
    await third.exited;
    mine.lock.release();
    mine.lock.release();
    vi.unstubAllEnvs();
  });
});
