import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { toolEntry, toolScope } from "../../../test/fakes/index.ts";
import { manualClock } from "../../../test/fakes/index.ts";
import type { JsonObject } from "../../core/index.ts";
import type { ToolOutcome } from "../../core/ports/index.ts";
import { bindTool } from "../bind.ts";
import { readFileTool, writeFileTool } from "./files.ts";

let base = "";
let root = "";
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "astromesh-files-"));
  root = join(base, "files");
  mkdirSync(root);
  writeFileSync(join(base, "secret.txt"), "secret");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function use(name: "read_file" | "write_file", args: JsonObject, config: JsonObject = {}): Promise<ToolOutcome> {
  const kind = name === "read_file" ? readFileTool(root) : writeFileTool(root);
  const bound = bindTool({ clock: manualClock(), expand: (json) => json }, kind, toolEntry(name, { config }));
  if ("fault" in bound) throw new Error(bound.fault);
  return bound.tool.execute(args, toolScope());
}

const read = async (path: string, more: JsonObject = {}, config: JsonObject = {}) =>
  use("read_file", { path, ...more }, config);
const write = async (path: string, content: string, more: JsonObject = {}, config: JsonObject = {}) =>
  use("write_file", { path, content, ...more }, config);
const denied = { ok: false, code: "tool_denied" };

describe("reading and writing", () => {
  it("gives back what was written, in folders that it makes", async () => {
    expect(await write("notes/today.md", "grüße")).toEqual({
      ok: true,
      data: { path: "notes/today.md", size_bytes: 7 },
    });
    expect(await read("notes/today.md")).toEqual({
      ok: true,
      data: { path: "notes/today.md", content: "grüße", size_bytes: 7 },
    });
    expect(await write("./notes/../notes/today.md", "new")).toMatchObject({ ok: true });
    expect(readFileSync(join(root, "notes/today.md"), "utf8")).toBe("new");
    expect(readdirSync(join(root, "notes"))).toEqual(["today.md"]);
  });

  it("carries any content as base64", async () => {
    const content = Buffer.from([0, 255, 128]).toString("base64");
    expect(await write("raw.bin", content, { encoding: "base64" })).toMatchObject({ ok: true });
    expect(await read("raw.bin", { encoding: "base64" })).toMatchObject({ data: { content } });
    expect(await read("raw.bin")).toMatchObject({ code: "tool_failed", message: expect.stringContaining("not UTF-8") });
    expect(await write("raw.bin", "?", { encoding: "base64" })).toMatchObject({ code: "tool_invalid_arguments" });
  });

  it("keeps to the size limits, and leaves the old file when it refuses", async () => {
    await write("a.txt", "x".repeat(11));
    expect(await read("a.txt", {}, { max_bytes: 10 })).toMatchObject({
      message: '"a.txt" has 11 bytes; the limit is 10',
    });
    expect(await read("a.txt", {}, { max_bytes: 11 })).toMatchObject({ ok: true });
    expect(await write("a.txt", "é".repeat(6), {}, { max_bytes: 11 })).toMatchObject({ code: "tool_failed" });
    expect(readFileSync(join(root, "a.txt"), "utf8")).toBe("x".repeat(11));
  });

  it("names what is wrong", async () => {
    mkdirSync(join(root, "folder"));
    await write("file", "");
    for (const [outcome, words] of [
      [await read("absent"), "does not exist"],
      [await read("folder"), "is not a file"],
      [await read("."), "is not a file"],
      [await write("folder", "x"), "is a folder"],
      [await write("file/below", "x"), "not a folder"],
      [await read("file/below"), "not a folder"],
      [await read("x".repeat(300)), "too long a name"],
    ] as const) {
      expect(outcome).toMatchObject({ ok: false, code: "tool_failed", message: expect.stringContaining(words) });
    }
    expect(await read("a\0b")).toMatchObject({ code: "tool_invalid_arguments" });
    expect(readdirSync(root).toSorted()).toEqual(["file", "folder"]);
  });

  it("uses the root of the config, relative to the node's folder or absolute", async () => {
    const other = join(base, "other");
    expect(await write("a", "1", {}, { root: "reports" })).toMatchObject({ ok: true });
    expect(await write("a", "2", {}, { root: other })).toMatchObject({ ok: true });
    expect(readFileSync(join(root, "reports/a"), "utf8") + readFileSync(join(other, "a"), "utf8")).toBe("12");
    expect(await read("a", {}, { root: join(base, "none") })).toMatchObject({ code: "tool_failed" });
    expect(readdirSync(base)).not.toContain("none");
    expect(await read(join(root, "reports/a"))).toMatchObject({ data: { content: "1" } });
  });

  it("does not wait for a pipe", async () => {
    execFileSync("/usr/bin/mkfifo", [join(root, "pipe")]);
    expect(await read("pipe")).toMatchObject({ code: "tool_failed", message: '"pipe" is not a file' });
  });
});

describe("containment", () => {
  it.each(["../secret.txt", "a/../../secret.txt", "/etc/passwd", "..", "../files-elsewhere/x", "a/../.."])(
    "%s is denied",
    async (path) => {
      mkdirSync(join(base, "files-elsewhere"));
      writeFileSync(join(base, "files-elsewhere/x"), "secret");
      expect(await read(path)).toMatchObject(denied);
      expect(await write(path, "overwritten")).toMatchObject(denied);
      expect(readFileSync(join(base, "secret.txt"), "utf8")).toBe("secret");
    },
  );

  it("follows no link out, and follows links that stay inside", async () => {
    symlinkSync("../secret.txt", join(root, "link"));
    symlinkSync("..", join(root, "up"));
    symlinkSync(join(base, "absent"), join(root, "dangling"));
    mkdirSync(join(root, "real"));
    symlinkSync("real", join(root, "inside"));
    for (const path of ["link", "up/secret.txt", "up/files/../secret.txt"])
      expect(await read(path)).toMatchObject(denied);
    for (const path of ["up/new.txt", "up/deep/er/new.txt"]) expect(await write(path, "x")).toMatchObject(denied);
    expect(await write("dangling/new.txt", "x")).toMatchObject({ ok: false });
    expect(readdirSync(base).toSorted()).toEqual(["files", "secret.txt"]);

    expect(await write("inside/a.txt", "kept inside")).toMatchObject({ ok: true });
    expect(await read("inside/a.txt")).toMatchObject({ data: { content: "kept inside" } });
  });

  it("replaces a link of the target's name and leaves what it points to alone", async () => {
    symlinkSync("../secret.txt", join(root, "link"));
    linkSync(join(base, "secret.txt"), join(root, "hard"));
    expect(await write("link", "mine")).toMatchObject({ ok: true });
    expect(await write("hard", "mine")).toMatchObject({ ok: true });
    expect(readFileSync(join(base, "secret.txt"), "utf8")).toBe("secret");
    expect(await read("link")).toMatchObject({ data: { content: "mine" } });
  });

  it("works when the root itself is reached through a link", async () => {
    symlinkSync(root, join(base, "alias"));
    expect(await write("a", "1", {}, { root: join(base, "alias") })).toMatchObject({ ok: true });
    expect(await read("a", {}, { root: join(base, "alias") })).toMatchObject({ data: { content: "1" } });
  });

  it("holds for every path: what is denied lies outside, what is written lies inside", async () => {
    const part = fc.constantFrom("..", ".", "", "a", "b", "...", "..a", "up", "~", "%2e%2e");
    symlinkSync("..", join(root, "up"));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), fc.boolean(), async (parts, absolute) => {
        const path = (absolute ? "/" : "") + parts.join("/");
        fc.pre(path !== "");
        const outcome = await write(path, "x");
        const target = resolve(root, path);
        if (!target.startsWith(root + sep) && target !== root) expect(outcome).toMatchObject(denied);
        expect(readdirSync(base).toSorted()).toEqual(["files", "secret.txt"]);
        expect(readFileSync(join(base, "secret.txt"), "utf8")).toBe("secret");
      }),
    );
  });
});
