import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** True when a process of that id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * True when the process lives and is an astromeshd. Pids are used again, so a number alone says little: where /proc
 * tells the command line it must name astromeshd; elsewhere living is enough.
 */
export function isAstromeshd(pid: number): boolean {
  if (!isAlive(pid)) return false;
  const commandLine = readProc(pid, "cmdline");
  if (commandLine === null) return !existsSync("/proc/self");
  return commandLine.split("\0").some((part) => basename(part).startsWith("astromeshd"));
}

/** When the process started, in ticks since the machine's start (field 22 of /proc/PID/stat); null if unknown. */
export function startTicks(pid: number): string | null {
  const stat = readProc(pid, "stat");
  // The second field is the command in parentheses and may hold blanks: count from its end.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return null;
  }
}
