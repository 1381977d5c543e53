import { readFileSync } from "node:fs";

import { shownPath } from "./fault.ts";
import { type ReadSource, readYaml } from "./yaml-source.ts";

/** Reads a YAML file. Faults name it as people see it from `cwd`. */
export function readSource(file: string, cwd: string): ReadSource {
  const shown = shownPath(file, cwd);
  try {
    return readYaml(readFileSync(file, "utf8"), shown);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const fault = { file: shown, at: { line: 1, col: 1 }, path: [], message: `cannot be read (${code})` };
    return { source: null, faults: [fault] };
  }
}
