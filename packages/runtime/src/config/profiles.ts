import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { ROLES, type Role, type ServiceName, SERVICE_NAMES, type Services } from "../core/index.ts";
import type { Environment } from "./environment.ts";
import type { Fault } from "./fault.ts";
import { suggestion } from "./suggest.ts";

/**
 * The folder of the shipped profiles, or null when the installation lacks it. Looked for as `config/profiles` beside
 * this file and beside each folder above it: that finds the repository's from packages/runtime/src and from
 * packages/runtime/dist alike, and an installed package's own (the tarball carries a copy in `config/`).
 */
export function findProfilesDir(from: string = dirname(fileURLToPath(import.meta.url))): string | null {
  const candidate = join(from, "config", "profiles");
  if (existsSync(join(candidate, "full.yaml"))) return candidate;
  const above = dirname(from);
  return above === from ? null : findProfilesDir(above);
}

/** The profile that the environment asks for. */
export interface ChosenProfile {
  /** Without folder and extension. */
  readonly name: string;
  readonly file: string;
  /** The variable that chose it. */
  readonly variable: string;
}

/**
 * ASTROMESH_PROFILE names a profile or a file. Otherwise ASTROMESH_ROLE (default full) and ASTROMESH_MESH_ENABLED
 * choose `ROLE` or `mesh-ROLE`. Null when none of the three is set.
 */
export function chooseProfile(
  environment: Environment,
  cwd: string,
  profilesDir: string | null,
): { readonly profile: ChosenProfile | null; readonly faults: readonly Fault[] } {
  const { profile, role, meshEnabled } = environment;
  if (profile === null && role === null && meshEnabled === null) return { profile: null, faults: [] };
  const variable = profile !== null ? "ASTROMESH_PROFILE" : role !== null ? "ASTROMESH_ROLE" : "ASTROMESH_MESH_ENABLED";
  const fail = (message: string) => ({ profile: null, faults: [{ file: null, at: null, path: [variable], message }] });
  if (profile !== null && /[/\\]|\.ya?ml$/.test(profile)) {
    const file = resolve(cwd, profile);
    return existsSync(file)
      ? { profile: { name: basename(file).replace(/\.ya?ml$/, ""), file, variable }, faults: [] }
      : fail(`there is no file ${profile}`);
  }
  if (profilesDir === null) return fail("this installation has no config/profiles folder");
  const name = profile ?? `${meshEnabled === true ? "mesh-" : ""}${role ?? "full"}`;
  const known = profileNames(profilesDir);
  if (known.includes(name)) return { profile: { name, file: join(profilesDir, `${name}.yaml`), variable }, faults: [] };
  return fail(`there is no profile "${name}"; there are ${known.join(", ")}${suggestion(name, known)}`);
}

function profileNames(dir: string): string[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .toSorted();
}

const ROLE_SERVICES: Readonly<Record<Role, readonly ServiceName[]>> = {
  full: SERVICE_NAMES,
  gateway: ["api", "channels", "observability"],
  worker: ["api", "agents", "memory", "tools", "rag", "observability"],
  inference: ["api", "inference", "observability"],
};

/** The role whose profile enables exactly these services; null when none does. */
export function roleOf(services: Services): Role | null {
  const matches = (role: Role): boolean =>
    SERVICE_NAMES.every((name) => services[name] === ROLE_SERVICES[role].includes(name));
  return ROLES.find(matches) ?? null;
}
