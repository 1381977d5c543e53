import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { Environment } from "./environment.ts";
import { type Fault, formatFaults, type Path } from "./fault.ts";
import type { LlmProviders } from "./llm-providers.ts";
import { faultAt, quoted } from "./located.ts";
import { NO_EFFECT, noticesOf, PROVIDERS_NOT_YET } from "./not-yet.ts";
import { defaultCandidates, environmentProviders } from "./provider-defaults.ts";
import { type ProviderFileRead, readEntries } from "./provider-entries.ts";
import { type ProviderFile, providerFile } from "./provider-schema.ts";
import type { ModelPrice, ProviderEntry, ProvidersConfig } from "./providers-config.ts";
import { readSource } from "./read-source.ts";
import { durationMs } from "./schema-parts.ts";
import type { LiteralSecret } from "./secrets.ts";
import { suggestion } from "./suggest.ts";
import { validateSource, withoutRepeats } from "./validate.ts";
import { expandSource, type Variables } from "./variables.ts";

/** What the node's model servers are read from. */
export interface ProvidersInput {
  /** The folder of providers*.yaml; null: there is none. */
  readonly configDir: string | null;
  readonly environment: Environment;
  readonly env: Variables;
  readonly cwd: string;
  /** From a NodeConfig; below providers.yaml. */
  readonly llmProviders: LlmProviders;
}

/** The node's model servers, or everything that is wrong with them. */
export type LoadedProviders =
  | {
      readonly ok: true;
      readonly config: ProvidersConfig;
      readonly secrets: readonly LiteralSecret[];
      readonly warnings: readonly string[];
      readonly notices: readonly string[];
    }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Reads every providers*.yaml of a folder, in the order of their names; a later entry of the same name wins. Below
 * them stand the providers that the environment makes (OLLAMA_HOST, OPENAI_API_KEY, ANTHROPIC_API_KEY) and the
 * built-in `offline` and `ollama`.
 */
export function loadProviders(input: ProvidersInput): LoadedProviders {
  const faults: Fault[] = [];
  const files = providerFiles(input.configDir).flatMap((path) => {
    const read = readProviderFile(path, input);
    faults.push(...read.faults);
    return read.file === null ? [] : [read.file];
  });
  const named = files.map((file) => readEntries(file, input));
  faults.push(...named.flatMap((entries) => entries.faults));
  const found = environmentProviders(input.environment);
  const written = [...input.llmProviders.entries, ...named.flatMap((entries) => entries.entries)];
  const providers = new Map([...found, ...written].map((entry) => [entry.name, entry]));
  faults.push(...files.flatMap((file) => unknownDefault(file, providers)));
  if (faults.length > 0) return { ok: false, errors: formatFaults(faults) };
  const config: ProvidersConfig = {
    providers,
    defaultCandidates: defaultCandidates(
      files.findLast(({ file }) => file.spec.default !== undefined)?.file.spec.default,
      written,
      found,
    ),
    routing: mergeRouting(files),
    prices: Object.assign({}, input.llmProviders.prices, ...files.map(readPrices)) as Record<string, ModelPrice>,
  };
  return {
    ok: true,
    config,
    secrets: [...input.llmProviders.secrets, ...named.flatMap((entries) => entries.secrets)],
    warnings: formatFaults(files.flatMap((file) => unsetKeys(file, input.env))),
    notices: formatFaults(files.flatMap((file) => [...noticesOf(file.source, "ProviderConfig"), ...typeNotices(file)])),
  };
}

function providerFiles(dir: string | null): string[] {
  if (dir === null) return [];
  try {
    const names = readdirSync(dir).filter((name) => /^providers.*\.ya?ml$/.test(name));
    return names.toSorted().map((name) => join(dir, name));
  } catch {
    return [];
  }
}

function readProviderFile(
  path: string,
  input: ProvidersInput,
): { readonly file: ProviderFileRead | null; readonly faults: readonly Fault[] } {
  const read = readSource(path, input.cwd);
  if (read.source === null) return { file: null, faults: read.faults };
  const { source, faults } = expandSource(read.source, input.env, { keeps: keepsReferences });
  const checked = validateSource(providerFile, source);
  if (!checked.ok) return { file: null, faults: [...faults, ...withoutRepeats(checked.faults, faults)] };
  return faults.length > 0 ? { file: null, faults } : { file: { source, file: checked.value, path }, faults };
}

/** Keys and parameters are read when they are used. */
function keepsReferences(path: Path): boolean {
  return path[1] === "providers" && (path[3] === "api_key" || path[3] === "parameters");
}

function unknownDefault({ source, file }: ProviderFileRead, providers: ReadonlyMap<string, ProviderEntry>): Fault[] {
  const name = file.spec.default?.provider;
  if (name === undefined || providers.has(name)) return [];
  const known = [...providers.keys()];
  const path: Path = ["spec", "default", "provider"];
  return [faultAt(source, path, `unknown provider ${quoted(source, path)}${suggestion(name, known)}`)];
}

function mergeRouting(files: readonly ProviderFileRead[]): ProvidersConfig["routing"] {
  const sections = files.map(({ file }) => file.spec.routing);
  const last = <T>(pick: (section: ProviderFile["spec"]["routing"]) => T | undefined, otherwise: T): T =>
    sections.map(pick).findLast((value) => value !== undefined) ?? otherwise;
  return {
    defaultStrategy: last((section) => section.default_strategy, "quality_first"),
    fallbackEnabled: last((section) => section.fallback_enabled, true),
    circuitBreaker: {
      failureThreshold: last((section) => section.circuit_breaker.failure_threshold, 3),
      recoveryTimeoutMs: durationMs(last((section) => section.circuit_breaker.recovery_timeout, 60)),
    },
  };
}

function readPrices({ file }: ProviderFileRead): Record<string, ModelPrice> {
  const prices = Object.entries(file.spec.prices).map(([model, price]) => {
    return [model, { inputUsdPerMillion: price.input, outputUsdPerMillion: price.output }] as const;
  });
  return Object.fromEntries(prices);
}

/** A provider whose key's variable is not set loads, because other nodes or a later start may have it. */
function unsetKeys({ source, file }: ProviderFileRead, env: Variables): Fault[] {
  return Object.entries(file.spec.providers).flatMap(([name, { api_key_env: variable }]) => {
    if (variable === undefined || (env[variable] ?? "") !== "") return [];
    return [faultAt(source, ["spec", "providers", name, "api_key_env"], `variable ${variable} is not set`)];
  });
}

function typeNotices({ source, file }: ProviderFileRead): Fault[] {
  return Object.entries(file.spec.providers).flatMap(([name, { type }]) =>
    PROVIDERS_NOT_YET.includes(type)
      ? [faultAt(source, ["spec", "providers", name, "type"], `"${type}" is ${NO_EFFECT}`)]
      : [],
  );
}
