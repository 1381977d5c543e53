import { hostname as osHostname } from "node:os";
import { join, resolve } from "node:path";

import type { ConfigEntry } from "../core/ports/index.ts";
import { checkSettings, type Finding, warnAbout } from "./checks.ts";
import { environmentLayer } from "./environment-layer.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { type Fault, formatFaults } from "./fault.ts";
import { type FlagLayer, type Flags, readFlags } from "./flags.ts";
import { faultOf, type Layer, listSettings, mergeLayers, namedLayer, originOf } from "./layers.ts";
import { type LlmProviders, readLlmProviders } from "./llm-providers.ts";
import { fromJson } from "./located.ts";
import type { NodeConfig, Places } from "./node-config.ts";
import { NO_EFFECT } from "./not-yet.ts";
import { type ChosenProfile, chooseProfile, findProfilesDir, roleOf } from "./profiles.ts";
import { runtimeSpec, type RuntimeSpec } from "./runtime-schema.ts";
import { type FoundConfig, findConfig, SYSTEM_PLACES, type SystemPlaces } from "./search.ts";
import { readSettingsFile, type SettingsFile } from "./settings-file.ts";
import { toNodeConfig } from "./to-node-config.ts";
import { validateSource } from "./validate.ts";
import type { Variables } from "./variables.ts";

/** What a node's configuration is read from. */
export interface ConfigInput {
  readonly flags: Flags;
  /** As `process.env`. */
  readonly env: Variables;
  /** Where relative paths begin. */
  readonly cwd: string;
  /** @default the places of a Linux package */
  readonly system?: SystemPlaces;
  /** @default the shipped profiles, see `findProfilesDir` */
  readonly profilesDir?: string | null;
  /** @default the machine's name */
  readonly hostname?: string;
}

/** A node's configuration, or everything that is wrong with it. */
export type ResolvedNode =
  | {
      readonly ok: true;
      readonly config: NodeConfig;
      /** Every setting, its value (secrets hidden) and who set it. */
      readonly origins: readonly ConfigEntry[];
      /** What works and is probably not meant. */
      readonly warnings: readonly string[];
      /** What is accepted and has no effect in this release. */
      readonly notices: readonly string[];
      /** The providers that a NodeConfig names; `loadProviders` puts them below providers.yaml. */
      readonly llmProviders: LlmProviders;
    }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Puts a node's settings together: default < profile (when ASTROMESH_ROLE, _MESH_ENABLED or _PROFILE is set) <
 * runtime.yaml < environment < flag. Reads files and nothing else. All errors come at once, as
 * `file:line:col path: message`, and none of them holds a secret.
 */
export function resolveNodeConfig(input: ConfigInput): ResolvedNode {
  const system = input.system ?? SYSTEM_PLACES;
  const told = readTold(input, system);
  const { environment, flags, found, profile, files } = told;
  if (told.faults.length > 0) return { ok: false, errors: formatFaults(told.faults) };
  if (files.length === 0) return { ok: false, errors: [nothingFound(found)] };

  const variables = environmentLayer(environment);
  const layers: Layer[] = [
    ...files.flatMap((file) => file.layers),
    namedLayer(variables.tree, variables.names),
    namedLayer(flags.tree, flags.names),
  ];
  const merged = validateSource(runtimeSpec, { file: null, root: fromJson(mergeLayers(layers)) });
  const asFaults = (findings: readonly Finding[]): Fault[] => findings.map((finding) => faultOf(layers, finding));
  if (!merged.ok) return { ok: false, errors: formatFaults(asFaults(merged.faults)) };
  const spec = merged.value;
  const wrong = asFaults(checkSettings(spec));
  if (wrong.length > 0) return { ok: false, errors: formatFaults(wrong) };

  const node = files.at(-1)?.node ?? null;
  const mode = found.dir === system.config ? "system" : "dev";
  const config = toNodeConfig(spec, {
    role: environment.role ?? roleOf(spec.services),
    profile: profile?.name ?? null,
    mode,
    places: placeFiles(told, mode, input, system),
    workers: flags.workers ?? 1,
    deployment: { mode: environment.deploymentMode ?? "monolith", serviceUrls: environment.serviceUrls },
    hostname: input.hostname ?? osHostname(),
    nodeSpec: node?.spec ?? null,
  });
  const warnings = [...files.flatMap((file) => file.warnings), ...asFaults(warnAbout(spec))];
  return {
    ok: true,
    config,
    origins: [...placeOrigins(config, told, input.flags), ...listSettings(spec, layers)],
    warnings: [...found.warnings, ...roleWarning(environment, spec, layers), ...formatFaults(warnings)],
    notices: [...deploymentNotice(environment), ...formatFaults(files.flatMap((file) => file.notices))],
    llmProviders: readLlmProviders(node),
  };
}

/** What flags, environment and files say, before it is put together. */
interface Told {
  readonly environment: Environment;
  readonly flags: FlagLayer;
  readonly found: FoundConfig;
  readonly profile: ChosenProfile | null;
  /** The profile's file and the settings file, as far as there are any. */
  readonly files: readonly SettingsFile[];
  readonly faults: readonly Fault[];
}

function readTold(input: ConfigInput, system: SystemPlaces): Told {
  const { cwd, env } = input;
  const { environment, faults } = readEnvironment(env);
  const flags = readFlags(input.flags);
  const found = findConfig({ flag: input.flags.config ?? null, variable: environment.configDir, cwd, system });
  const profilesDir = input.profilesDir === undefined ? findProfilesDir() : input.profilesDir;
  const { profile, faults: profileFaults } = chooseProfile(environment, cwd, profilesDir);
  const files = [
    ...(profile === null ? [] : [readSettingsFile(profile.file, { label: `profile ${profile.name}`, env, cwd })]),
    ...(found.file === null ? [] : [readSettingsFile(found.file, { label: null, env, cwd })]),
  ];
  const outside = [...flags.faults, ...faults, ...found.faults, ...profileFaults];
  const inside = files.flatMap((file) => file.faults);
  return { environment, flags, found, profile, files, faults: [...outside, ...inside] };
}

function nothingFound(found: FoundConfig): string {
  const places = found.looked.join(", ");
  return `no runtime.yaml found in ${places}; write one with "astromeshctl init", or set ASTROMESH_ROLE`;
}

function placeFiles(told: Told, mode: NodeConfig["mode"], input: ConfigInput, system: SystemPlaces): Places {
  const { found, environment } = told;
  const dataDir = resolve(input.cwd, environment.dataDir ?? (mode === "system" ? system.data : ".astromesh"));
  const pidFile = input.flags.pidFile ?? join(mode === "system" ? system.run : dataDir, "astromeshd.pid");
  return { configDir: found.dir, configFile: found.file, dataDir, pidFile: resolve(input.cwd, pidFile) };
}

/** Settings that stand in no file. */
function placeOrigins(config: NodeConfig, { environment, found, profile }: Told, flags: Flags): ConfigEntry[] {
  const { places } = config;
  const by = (named: boolean, name: string): string => (named ? name : "default");
  return [
    { path: "role", value: config.role, origin: by(environment.role !== null, "ASTROMESH_ROLE") },
    { path: "profile", value: config.profile, origin: profile?.variable ?? "default" },
    { path: "config_dir", value: places.configDir, origin: found.origin },
    { path: "config_file", value: places.configFile, origin: found.origin },
    { path: "data_dir", value: places.dataDir, origin: by(environment.dataDir !== null, "ASTROMESH_DATA_DIR") },
    { path: "pid_file", value: places.pidFile, origin: by(flags.pidFile !== undefined, "--pid-file") },
    { path: "workers", value: config.workers, origin: by(flags.workers !== undefined, "--workers") },
  ];
}

/** A role picks a profile; a runtime.yaml stands above it and may say otherwise. */
function roleWarning(environment: Environment, spec: RuntimeSpec, layers: readonly Layer[]): string[] {
  const { role } = environment;
  const actual = roleOf(spec.services);
  if (role === null || role === actual) return [];
  const where = originOf(layers, ["services", "agents"]).label;
  return [`ASTROMESH_ROLE: the role is ${role}, but the services are set otherwise (${where})`];
}

function deploymentNotice(environment: Environment): string[] {
  return environment.deploymentMode === "distributed" ? [`DEPLOYMENT_MODE: "distributed" is ${NO_EFFECT}`] : [];
}
