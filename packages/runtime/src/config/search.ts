import { type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import type { Fault } from "./fault.ts";

/** The folders of a system-wide installation. Tests use their own. */
export interface SystemPlaces {
  /** @default /etc/astromesh */
  readonly config: string;
  /** @default /var/lib/astromesh */
  readonly data: string;
  /** @default /var/run/astromesh */
  readonly run: string;
}

/** Where a Linux package puts things. */
export const SYSTEM_PLACES: SystemPlaces = {
  config: "/etc/astromesh",
  data: "/var/lib/astromesh",
  run: "/var/run/astromesh",
};

/** The name of the settings file in a folder. */
const RUNTIME_FILE = "runtime.yaml";

/** Where the configuration is. */
export interface FoundConfig {
  /** The settings file; null when no folder holds one. */
  readonly file: string | null;
  /** The folder of agents and providers; null when no candidate exists. */
  readonly dir: string | null;
  /** Who named the folder: the flag, the variable, or `default`. */
  readonly origin: string;
  /** The four places in words, for the error when nothing was found. */
  readonly looked: readonly string[];
  readonly warnings: readonly string[];
  readonly faults: readonly Fault[];
}

/**
 * The first of `--config`, $ASTROMESH_CONFIG_DIR, /etc/astromesh and ./config that holds runtime.yaml. `--config` may
 * name a single file as well. Without any, agents and providers are still read from the first folder that exists, so
 * that a container with a role needs no more than a mounted agents folder.
 */
export function findConfig(input: {
  readonly flag: string | null;
  readonly variable: string | null;
  readonly cwd: string;
  readonly system: SystemPlaces;
}): FoundConfig {
  const { flag, variable, cwd, system } = input;
  const looked = [
    `--config ${flag ?? "(not given)"}`,
    `$ASTROMESH_CONFIG_DIR ${variable ?? "(not set)"}`,
    system.config,
    "./config",
  ];
  const given = flag === null ? null : resolve(cwd, flag);
  if (given !== null && isFile(given)) {
    return { file: given, dir: dirname(given), origin: "--config", looked, warnings: [], faults: [] };
  }
  if (given !== null && !isFolder(given)) {
    const fault: Fault = { file: null, at: null, path: ["--config"], message: `there is no file or folder ${flag}` };
    return { file: null, dir: null, origin: "--config", looked, warnings: [], faults: [fault] };
  }
  const named = variable === null ? null : resolve(cwd, variable);
  const candidates = [
    { origin: "--config", folder: given },
    { origin: "ASTROMESH_CONFIG_DIR", folder: named },
    { origin: "default", folder: system.config },
    { origin: "default", folder: join(cwd, "config") },
  ].flatMap(({ origin, folder }) => (folder === null ? [] : [{ origin, folder }]));
  const holder = candidates.find(({ folder }) => isFile(join(folder, RUNTIME_FILE)));
  const used = holder ?? candidates.find(({ folder }) => isFolder(folder));
  const warnings = candidates
    .slice(0, used === undefined ? 0 : candidates.indexOf(used))
    .filter(({ origin }) => origin !== "default")
    .map(({ origin, folder }) => `${origin}: ${folder} holds no ${RUNTIME_FILE}; using ${used?.folder}`);
  const file = holder === undefined ? null : join(holder.folder, RUNTIME_FILE);
  return { file, dir: used?.folder ?? null, origin: used?.origin ?? "default", looked, warnings, faults: [] };
}

function isFile(path: string): boolean {
  return kindOf(path)?.isFile() ?? false;
}

function isFolder(path: string): boolean {
  return kindOf(path)?.isDirectory() ?? false;
}

// A folder that may not be entered is no candidate.
function kindOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
