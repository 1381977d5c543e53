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
export const RUNTIME_FILE = "runtime.yaml";

/** Where the configuration is. */
export interface FoundConfig {
  /** The settings file; null when no folder holds one. */
  readonly file: string | null;
  /** The folder of agents and providers; null when no candidate exists. */
  readonly dir: string | null;
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
    return { file: given, dir: dirname(given), looked, warnings: [], faults: [] };
  }
  if (given !== null && !isFolder(given)) {
    const fault: Fault = { file: null, at: null, path: ["--config"], message: `there is no file or folder ${flag}` };
    return { file: null, dir: null, looked, warnings: [], faults: [fault] };
  }
  const named = variable === null ? null : resolve(cwd, variable);
  const folders = [given, named, system.config, join(cwd, "config")].filter((folder) => folder !== null);
  const dir = folders.find((folder) => isFile(join(folder, RUNTIME_FILE))) ?? null;
  const used = dir ?? folders.find(isFolder) ?? null;
  const passed = [
    { name: "--config", folder: given },
    { name: "ASTROMESH_CONFIG_DIR", folder: named },
  ].filter(({ folder }) => folder !== null && folder !== used && folders.indexOf(folder) < folders.indexOf(used ?? ""));
  const warnings = passed.map(({ name, folder }) => `${name}: ${folder} holds no ${RUNTIME_FILE}; using ${used}`);
  return { file: dir === null ? null : join(dir, RUNTIME_FILE), dir: used, looked, warnings, faults: [] };
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
