import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { temporaryDirectory } from "../../test/fakes/index.ts";
import { spawnChild } from "../../test/harness/index.ts";
import type { TestChild } from "../../test/harness/index.ts";
import { createPidFile } from "./pid-file.ts";

/** A process that lives, under a command line of our choice. */
async function sleeper(directory: string, name: string): Promise<TestChild> {
  const script = join(directory, name);
  writeFileSync(script, "console.log('up'); setInterval(() => {}, 1000);");
  const child = spawnChild(process.execPath, [script]);
  await child.says("up");
  return child;
}

test("it holds the pid and a newline, in folders made for it, until it is removed", () => {
  const path = join(temporaryDirectory(), "run", "astromeshd.pid");
  const file = createPidFile(path);
  expect(file.check()).toBeNull();
  file.write();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  file.write();
  file.remove();
  expect(existsSync(path)).toBe(false);
  file.remove();
});

test("P1: a living astromeshd is an error that names its pid", async () => {
  const directory = temporaryDirectory();
  const path = join(directory, "astromeshd.pid");
  const other = await sleeper(directory, "astromeshd.mjs");
  writeFileSync(path, `${other.pid}\n`);
  expect(() => createPidFile(path).check()).toThrow(`astromeshd is already running with pid ${other.pid}`);
  expect(() => createPidFile(path).write()).toThrow(expect.objectContaining({ exitCode: 1 }));
  expect(readFileSync(path, "utf8")).toBe(`${other.pid}\n`);
  other.kill("SIGKILL");
  await other.exited;
  expect(createPidFile(path).check()).toBe(other.pid);
});

test("P2: a pid that now belongs to another program is stale", async () => {
  const directory = temporaryDirectory();
  const path = join(directory, "astromeshd.pid");
  const other = await sleeper(directory, "editor.mjs");
  writeFileSync(path, `${other.pid}\n`);
  createPidFile(path).write();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  other.kill("SIGKILL");
  await other.exited;
});

test.each(["", "hello", "-4", "99999999999999999999"])("P2: a file that says %j is stale", (text) => {
  const path = join(temporaryDirectory(), "astromeshd.pid");
  writeFileSync(path, text);
  createPidFile(path).write();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
});

test("P4: another's file is left where it is", () => {
  const path = join(temporaryDirectory(), "astromeshd.pid");
  writeFileSync(path, "1\n");
  createPidFile(path).remove();
  expect(existsSync(path)).toBe(true);
});
