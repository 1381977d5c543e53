import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { isAstromeshd } from "./process-table.ts";
import { StartError } from "./start-error.ts";

/**
 * The file by which process managers find the daemon: its pid and a newline.
 *
 * - P1: a file that names a living astromeshd other than this process is never replaced.
 * - P2: a file that names anything else is stale, and replaced.
 * - P3: a reader sees the old file or the new one, never half a line.
 * - P4: only its own file is removed at the end.
 */
export interface PidFile {
  /** Rejects a start beside a living daemon (P1). Returns the stale pid that was found, if any. */
  check(): number | null;
  /** Writes the file; checks again first. */
  write(): void;
  /** Removes the file, if it is ours (P4). */
  remove(): void;
}

/** Makes the PID file of this process at `path`; nothing is touched before `write`. */
export function createPidFile(path: string): PidFile {
  const check = (): number | null => {
    const pid = readPid(path);
    // A container's daemon often has the pid that the file of its last life names: that is this process.
    if (pid === null || pid === process.pid) return null;
    if (isAstromeshd(pid)) {
      throw new StartError(1, `astromeshd is already running with pid ${pid} (${path})`);
    }
    return pid;
  };

  return {
    check,
    write() {
      check();
      mkdirSync(dirname(path), { recursive: true });
      const temporary = `${path}.${process.pid}`;
      writeFileSync(temporary, `${process.pid}\n`, { mode: 0o644 });
      renameSync(temporary, path);
    },
    remove() {
      if (readPid(path) === process.pid) unlinkSync(path);
    },
  };
}

/** The pid in the file; null when there is no file or no pid in it. */
function readPid(path: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
