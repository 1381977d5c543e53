import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Ids, NodeIdentity } from "../core/index.ts";
import { lockDirectory } from "./directory-lock.ts";
import type { DirectoryLock } from "./directory-lock.ts";
import { writeDurably } from "./durable-file.ts";
import { StartError } from "./start-error.ts";

/** A data directory in use: locked, and with the identity of the node that lives in it. */
export interface DataDirectory {
  readonly path: string;
  readonly lock: DirectoryLock;
  readonly identity: NodeIdentity;
}

/**
 * Opens a node's data directory: made if missing, locked for this process, its identity read (or made, once) and its
 * boot counter raised. Identity and counter are on disk when this resolves: runs are owned by them.
 *
 * @throws StartError with exit code 1 when another process has it, 2 when it cannot be used.
 */
export async function openDataDirectory(path: string, name: string, ids: Pick<Ids, "node">): Promise<DataDirectory> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(path, error);
  }
  const lock = await lockDirectory(path).catch((error: unknown) => {
    throw error instanceof StartError ? error : unusable(path, error);
  });
  try {
    const file = join(path, "node.json");
    const known = await readIdentity(file);
    const nodeId = known?.nodeId ?? ids.node();
    const boot = (known?.boot ?? 0) + 1;
    await writeDurably(file, `${JSON.stringify({ node_id: nodeId, boot })}\n`);
    return { path, lock, identity: { nodeId, name, boot } };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A file that cannot be read is an error, not a new node: a new id would orphan the runs of the old one. */
async function readIdentity(file: string): Promise<{ nodeId: string; boot: number } | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unusable(file, error);
  }
  const { node_id: nodeId, boot } = parseObject(text);
  if (typeof nodeId !== "string" || typeof boot !== "number" || !/^node_[0-9a-z]{26}$/.test(nodeId)) {
    throw unusable(file, new Error("it holds no node identity; restore it, or remove it to become a new node"));
  }
  return { nodeId, boot };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function unusable(path: string, cause: unknown): StartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartError(2, `the data directory cannot be used: ${path}: ${reason}`, { cause });
}
