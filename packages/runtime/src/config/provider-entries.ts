import { resolve } from "node:path";

import type { Json } from "../core/index.ts";
import type { Fault, Path } from "./fault.ts";
import { faultAt, faultAtKey, type Source, toJson } from "./located.ts";
import type { ProviderFile, ProviderFileEntry } from "./provider-schema.ts";
import { DEFAULT_PROVIDER, TYPES_WITH_ENDPOINT } from "./provider-types.ts";
import type { ProviderEntry } from "./providers-config.ts";
import { readSource } from "./read-source.ts";
import { durationMs } from "./schema-parts.ts";
import { type LiteralSecret, readSecret } from "./secrets.ts";
import { expandSource, type Variables } from "./variables.ts";

/** A providers*.yaml that fits its schema. */
export interface ProviderFileRead {
  readonly source: Source;
  readonly file: ProviderFile;
  /** Absolute. */
  readonly path: string;
}

/** What reading a script's file takes. */
interface ReadContext {
  readonly cwd: string;
  readonly env: Variables;
}

/** The entries of one file, with what is wrong between their keys. */
export function readEntries({ source, file, path }: ProviderFileRead, context: ReadContext) {
  const entries: ProviderEntry[] = [];
  const secrets: LiteralSecret[] = [];
  const faults: Fault[] = [];
  for (const [name, given] of Object.entries(file.spec.providers)) {
    const at: Path = ["spec", "providers", name];
    if (name === DEFAULT_PROVIDER) {
      faults.push(faultAtKey(source, at, "the name is taken: it stands for whichever model answers; see spec.default"));
    }
    if (given.api_key !== undefined && given.api_key_env !== undefined) {
      faults.push(faultAt(source, [...at, "api_key_env"], "give api_key or api_key_env, not both"));
    }
    if (TYPES_WITH_ENDPOINT.includes(given.type) && given.endpoint === undefined) {
      faults.push(faultAtKey(source, at, `endpoint: required for type ${given.type}`));
    }
    const script = readScript(given, source, at, path, context);
    faults.push(...script.faults);
    const key = readSecret(given.api_key, given.api_key_env, `provider:${name}`, ["api_key"]);
    secrets.push(...key.literals);
    const place = faultAtKey(source, at, "").at;
    entries.push({
      name,
      type: given.type,
      endpoint: given.endpoint ?? null,
      models: given.models,
      apiKey: key.ref,
      timeoutMs: durationMs(given.timeout),
      parameters: given.parameters,
      script: script.value,
      healthCheckIntervalMs: durationMs(given.health_check_interval),
      origin: `${source.file}:${place?.line ?? 1}:${place?.col ?? 1}`,
    });
  }
  return { entries, secrets, faults };
}

function readScript(
  given: ProviderFileEntry,
  source: Source,
  at: Path,
  path: string,
  context: ReadContext,
): { readonly value: Json; readonly faults: readonly Fault[] } {
  const { script } = given;
  if (given.type !== "scripted") {
    const faults = script === undefined ? [] : [faultAt(source, [...at, "script"], "only type scripted has a script")];
    return { value: null, faults };
  }
  if (script === undefined)
    return { value: null, faults: [faultAtKey(source, at, "script: required for type scripted")] };
  if (typeof script !== "string") return { value: script, faults: [] };
  const read = readSource(resolve(path, "..", script), context.cwd);
  if (read.source === null) return { value: null, faults: read.faults };
  const expanded = expandSource(read.source, context.env);
  return { value: toJson(expanded.source.root), faults: expanded.faults };
}
