import type { Json } from "../core/index.ts";
import { allCandidates, type PlacedCandidate, providerWord } from "./agent-model.ts";
import type { AgentSpec } from "./agent-schema.ts";
import type { Fault, Path } from "./fault.ts";
import { faultAt, faultAtKey, quoted, type Source } from "./located.ts";
import { NO_EFFECT, PROVIDERS_NOT_YET } from "./not-yet.ts";
import { DEFAULT_PROVIDER, PROVIDER_TYPES, TYPES_WITH_ENDPOINT } from "./provider-types.ts";
import { isSecretKey } from "./secrets.ts";
import { suggestion } from "./suggest.ts";
import { soleVariable } from "./variables.ts";

/** The node's providers by name: the map of ProvidersConfig, or a set of names. */
export interface KnownProviders {
  has(name: string): boolean;
  keys(): Iterable<string>;
}

/** What is wrong with parts of an agent, whatever may be wrong elsewhere in it. */
export function checkAgentParts(spec: AgentSpec, source: Source, providers: KnownProviders): Fault[] {
  const known = [...providers.keys(), ...PROVIDER_TYPES, DEFAULT_PROVIDER];
  const unknown = allCandidates(spec.model).flatMap((candidate) => {
    const word = providerWord(candidate.given);
    if (known.includes(word)) return [];
    const path = providerPath(candidate);
    return [faultAt(source, path, `unknown provider ${quoted(source, path)}${suggestion(word, known)}`)];
  });
  return [...unknown, ...checkTools(spec, source)];
}

/** What is wrong between the keys of an agent that fit its schema one by one. */
export function checkAgentWhole(spec: AgentSpec, source: Source, providers: KnownProviders): Fault[] {
  return [
    ...checkModel(spec.model, source),
    ...allCandidates(spec.model).flatMap((candidate) => checkCandidate(candidate, source, providers)),
    ...checkRoleMap(spec, source),
    ...(spec.orchestration.timeout !== undefined && spec.orchestration.timeout_seconds !== undefined
      ? [faultAtKey(source, ["spec", "orchestration", "timeout_seconds"], "give timeout or timeout_seconds, not both")]
      : []),
  ];
}

/** Candidates whose provider this release cannot call. */
export function candidateNotices(spec: AgentSpec, source: Source): Fault[] {
  return allCandidates(spec.model).flatMap((candidate) => {
    const word = providerWord(candidate.given);
    if (!PROVIDERS_NOT_YET.includes(word)) return [];
    return [faultAt(source, providerPath(candidate), `"${word}" is ${NO_EFFECT}`)];
  });
}

/** Secrets that stand in a tool's settings as they are. A definition is stored with its runs, and they with it. */
export function storedSecretNotices(spec: AgentSpec, source: Source): Fault[] {
  const message = "is stored with the agent's definition as it stands here; name a ${VARIABLE} instead";
  return spec.tools.flatMap((tool, index) =>
    plainSecrets(tool.config, ["spec", "tools", index, "config"]).map((path) => faultAt(source, path, message)),
  );
}

function plainSecrets(json: Json, path: Path): Path[] {
  if (json !== null && typeof json === "object") {
    return Object.entries(json).flatMap(([key, child]) => plainSecrets(child, [...path, key]));
  }
  const key = path.at(-1);
  const isPlain = typeof json === "string" && json !== "" && !json.includes("${");
  return isPlain && typeof key === "string" && isSecretKey(key) ? [path] : [];
}

function checkModel(model: AgentSpec["model"], source: Source): Fault[] {
  const at: Path = ["spec", "model"];
  const legacy = (["primary", "fallback", "extra"] as const).filter((key) => model[key] !== undefined);
  if (model.default !== undefined) {
    return legacy.map((key) =>
      faultAtKey(source, [...at, key], "give primary, fallback and extra, or default, not both"),
    );
  }
  if (model.primary === undefined && legacy.length > 0) {
    return legacy.map((key) => faultAtKey(source, [...at, key], "needs primary before it"));
  }
  return [];
}

function checkCandidate(candidate: PlacedCandidate, source: Source, providers: KnownProviders): Fault[] {
  const { given, path } = candidate;
  const faults: Fault[] = [];
  if (given.provider !== undefined && given.source !== undefined) {
    faults.push(faultAtKey(source, [...path, "source"], "give provider or source, not both"));
  }
  if (given.api_key !== undefined && given.api_key_env !== undefined) {
    faults.push(faultAtKey(source, [...path, "api_key_env"], "give api_key or api_key_env, not both"));
  }
  if (source.file === null && given.api_key !== undefined && soleVariable(given.api_key) === null) {
    faults.push(faultAt(source, [...path, "api_key"], "a document sent by API names a variable, such as ${MY_KEY}"));
  }
  const word = providerWord(given);
  if (!providers.has(word) && TYPES_WITH_ENDPOINT.includes(word) && given.endpoint === undefined) {
    faults.push(faultAtKey(source, path, `endpoint: required for provider ${word}`));
  } else if (!providers.has(word) && word === "scripted") {
    faults.push(faultAt(source, providerPath(candidate), "a scripted provider needs an entry in providers.yaml"));
  }
  return faults;
}

function providerPath({ given, path }: PlacedCandidate): Path {
  return [...path, given.source === undefined ? "provider" : "source"];
}

function checkRoleMap(spec: AgentSpec, source: Source): Fault[] {
  const roles = ["default", ...Object.keys(spec.model.roles)];
  return Object.entries(spec.orchestration.role_map).flatMap(([role, target]) => {
    if (roles.includes(target)) return [];
    const path: Path = ["spec", "orchestration", "role_map", role];
    const message = `no model role ${quoted(source, path)}; there are ${roles.join(", ")}${suggestion(target, roles)}`;
    return [faultAt(source, path, message)];
  });
}

function checkTools(spec: AgentSpec, source: Source): Fault[] {
  const names = spec.tools.map((tool) => tool.name);
  return spec.tools.flatMap((tool, index) => {
    const at: Path = ["spec", "tools", index];
    const faults: Fault[] = [];
    if (names.indexOf(tool.name) < index) faults.push(faultAt(source, [...at, "name"], "another tool has this name"));
    if (tool.rate_limit?.window !== undefined && tool.rate_limit.window_seconds !== undefined) {
      faults.push(
        faultAtKey(source, [...at, "rate_limit", "window_seconds"], "give window or window_seconds, not both"),
      );
    }
    return faults;
  });
}
