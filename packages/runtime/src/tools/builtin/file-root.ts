/**
 * Files under a root that no path leaves: not by `..`, not as an absolute path, not through symbolic links.
 *
 * F1: a file is judged by its real path, with every link resolved.
 * F2: what was opened is compared with what the path means afterwards, so a link that is swapped in between is noticed.
 *     Writing goes to a new file beside the target, which then takes its name: a link of that name is replaced, never
 *     followed, and readers see the old content or the new.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

import { AstromeshError } from "../../core/index.ts";

/** Reads a whole file. Rejects with `tool_denied` outside the root, `tool_failed` when there is none or it is too large. */
export async function readInside(root: string, path: string, maxBytes: number): Promise<Buffer> {
  const target = locate(root, path);
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(await realInside(root, target, path), flags).catch((thrown) => fail(thrown, path));
  try {
    const opened = await file.stat();
    const meant = await stat(await realInside(root, target, path));
    if (opened.ino !== meant.ino || opened.dev !== meant.dev) throw outside(path);
    if (!opened.isFile()) throw new AstromeshError("tool_failed", `"${path}" is not a file`);
    if (opened.size > maxBytes) {
      throw new AstromeshError("tool_failed", `"${path}" has ${opened.size} bytes; the limit is ${maxBytes}`);
    }
    const content = Buffer.alloc(opened.size);
    const { bytesRead } = await file.read(content, 0, opened.size, 0);
    return content.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Writes a whole file at once, with the folders above it. Rejects like `readInside`. */
export async function writeInside(root: string, path: string, content: Uint8Array): Promise<void> {
  const target = locate(root, path);
  const folder = dirname(target);
  await mkdir(root, { recursive: true }).catch((thrown) => fail(thrown, path));
  await realInside(root, await nearestExisting(folder), path);
  await mkdir(folder, { recursive: true }).catch((thrown) => fail(thrown, path));
  const realFolder = await realInside(root, folder, path);
  const temporary = join(realFolder, `.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(realFolder, basename(target)));
    await syncFolder(realFolder);
  } catch (thrown) {
    await rm(temporary, { force: true });
    fail(thrown, path);
  }
}

/** The path by its letters alone: inside the root, or refused. */
function locate(root: string, path: string): string {
  if (path.includes("\0")) throw new AstromeshError("tool_invalid_arguments", "a path may not hold a NUL character");
  const target = resolve(root, path);
  if (!isInside(root, target)) throw outside(path);
  if (target === resolve(root)) throw new AstromeshError("tool_failed", `"${path}" is not a file`);
  return target;
}

/** The real path of something that exists, inside the real root, or refused. */
async function realInside(root: string, target: string, path: string): Promise<string> {
  const real = await realpath(target).catch((thrown) => fail(thrown, path));
  if (!isInside(await realpath(root), real)) throw outside(path);
  return real;
}

async function nearestExisting(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    // A dangling link counts as missing here; `mkdir` then refuses to make a folder in its place.
    const found = await realpath(at).catch(() => null);
    if (found !== null || dirname(at) === at) return at;
  }
}

/** After a power cut, the new name is there only if its folder was synced too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isInside(root: string, target: string): boolean {
  const way = relative(root, target);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function outside(path: string): AstromeshError {
  return new AstromeshError("tool_denied", `"${path}" is outside of the folder that this tool may use`);
}

function fail(thrown: unknown, path: string): never {
  if (thrown instanceof AstromeshError) throw thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  const why = WORDS[code] ?? `failed with ${code === "" ? String(thrown) : code}`;
  throw new AstromeshError("tool_failed", `"${path}" ${why}`, { cause: thrown });
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "leads through something that is not a folder",
  EISDIR: "is a folder",
  EEXIST: "leads through something that is not a folder",
  EACCES: "may not be opened by this node",
  EPERM: "may not be opened by this node",
  ELOOP: "leads through too many links",
  ENAMETOOLONG: "is too long a name",
  ENOSPC: "cannot be written: the disk is full",
  EROFS: "cannot be written: the disk is read-only",
  ENXIO: "is not a file",
};
