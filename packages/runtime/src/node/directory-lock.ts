import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import { isAlive, startTicks } from "./process-table.ts";
import { StartError } from "./start-error.ts";

/** A data directory held by this process. */
export interface DirectoryLock {
  /** `flock`: held by the kernel. `pid`: by convention only, where flock(1) is missing. */
  readonly kind: "flock" | "pid";
  release(): void;
}

/**
 * Locks a data directory for one node.
 *
 * The lock is flock(2) on `node.lock`, which the kernel gives back however the process dies, and which holds between
 * containers that share a volume, where pids say nothing. Node has no flock; flock(1) of util-linux or busybox takes
 * the lock on a descriptor that it shares with us, and the lock then stays with ours (locks of flock(2) belong to the
 * open file, not to the process). Where there is no flock(1) (macOS) the file's text decides: pid and start time of
 * the holder; that cannot see into other containers, and two starts in the same millisecond could both win.
 *
 * The file itself is never removed: a lock on an unlinked file guards nothing.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, "node.lock");
  const descriptor = openSync(path, "a+", 0o600);
  try {
    const result = await flock(descriptor);
    const holder = readHolder(path);
    if (result === "held" || (result === "unavailable" && isHeld(holder))) throw taken(directory, holder);
    writeHolder(descriptor);
    return { kind: result === "locked" ? "flock" : "pid", release: once(() => closeSync(descriptor)) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

interface Holder {
  readonly pid: number;
  readonly startTicks: string;
}

function flock(descriptor: number): Promise<"locked" | "held" | "unavailable"> {
  return new Promise((resolve) => {
    const child = spawn("flock", ["-xn", "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
    child.once("error", () => resolve("unavailable"));
    // 1 is "somebody else has it"; anything else is a file system or a flock(1) that cannot.
    child.once("exit", (code) => resolve(code === 0 ? "locked" : code === 1 ? "held" : "unavailable"));
  });
}

function readHolder(path: string): Holder | null {
  const [pid = "", ticks = ""] = readFileSync(path, "utf8").trim().split(" ");
  return /^\d+$/.test(pid) ? { pid: Number(pid), startTicks: ticks } : null;
}

function isHeld(holder: Holder | null): boolean {
  if (holder === null || holder.pid === process.pid || !isAlive(holder.pid)) return false;
  return (startTicks(holder.pid) ?? "") === holder.startTicks;
}

function writeHolder(descriptor: number): void {
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid} ${startTicks(process.pid) ?? ""}\n`);
}

function taken(directory: string, holder: Holder | null): StartError {
  const who = holder === null ? "another process" : `the astromeshd with pid ${holder.pid}`;
  return new StartError(1, `the data directory ${directory} is in use by ${who}`);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
