import { AstromeshError } from "../core/index.ts";
import type { SecretRef } from "../core/index.ts";
import type { ModelProvider } from "../core/ports/index.ts";
import { parseScript } from "./parse-script.ts";
import { LATER_TYPES, OPENAI_TYPES, PROVIDER_TYPES } from "./provider-types.ts";
import type { OpenAiType, ProviderSettings } from "./provider-types.ts";
import { createOfflineProvider, OFFLINE_MODEL } from "./providers/offline.ts";
import { ollamaEndpoint } from "./providers/ollama-wire.ts";
import { createOllamaProvider } from "./providers/ollama.ts";
import { createOpenAiProvider } from "./providers/openai.ts";
import { createScriptedProvider } from "./providers/scripted.ts";
import { shownEndpoint } from "./server-errors.ts";
import type { ProviderDeps } from "./server-errors.ts";

/** A provider that is ready to be asked. */
export interface BuiltProvider {
  readonly provider: ModelProvider;
  /** As it is shown (see shownEndpoint); null when it is no server. */
  readonly endpoint: string | null;
  /**
   * The model to use now: the wanted one if it is there, or the provider's own choice when none is wanted. Null, or an
   * error, when the provider cannot be used.
   */
  pickModel(wanted: string | null, signal: AbortSignal): Promise<string | null>;
}

/** What building takes besides the settings. */
export interface BuildDeps extends ProviderDeps {
  /** The value of a secret; null when it is not set. */
  readonly secret: (ref: SecretRef) => string | null;
}

/**
 * Builds the provider of an entry. Throws `model_rejected` when that cannot be: an unknown type, one of a later
 * release, an endpoint that is missing or no URL, or a script with faults.
 */
export function buildProvider(deps: BuildDeps, settings: ProviderSettings): BuiltProvider {
  const { name, type } = settings;
  const openAi = Object.hasOwn(OPENAI_TYPES, type) ? OPENAI_TYPES[type] : undefined;
  if (openAi !== undefined) return buildOpenAi(deps, settings, openAi);
  if (type === "ollama") return buildOllama(deps, settings);
  if (type === "offline") {
    return { provider: createOfflineProvider(deps), endpoint: null, pickModel: async () => OFFLINE_MODEL };
  }
  if (type === "scripted" && settings.script !== null) {
    const parsed = parseScript(settings.script);
    if (!parsed.ok) throw rejected(`The script of ${name} has faults: ${parsed.errors.map(inWords).join("; ")}.`);
    const provider = createScriptedProvider(deps, { name, script: parsed.script });
    return { provider, endpoint: null, pickModel: async (wanted) => wanted ?? "script" };
  }
  throw rejected(whyNot(type));
}

function buildOllama(deps: BuildDeps, { name, endpoint: given, apiKey, models }: ProviderSettings): BuiltProvider {
  const endpoint = readEndpoint(name, given ?? "http://localhost:11434", ollamaEndpoint);
  const provider = createOllamaProvider(deps, { name, endpoint, apiKey: keyOf(deps, apiKey) });
  return {
    provider,
    endpoint: shownEndpoint(endpoint),
    pickModel: (wanted, signal) => provider.pickModel(wanted === null ? models : [wanted], signal),
  };
}

function buildOpenAi(deps: BuildDeps, settings: ProviderSettings, type: OpenAiType): BuiltProvider {
  const { name } = settings;
  const given = settings.endpoint ?? type.endpoint;
  if (given === null) {
    throw rejected(
      `The provider ${name} needs an endpoint: the base URL with its version, such as http://host:8001/v1.`,
    );
  }
  const endpoint = readEndpoint(name, given, (text) => text);
  // The node's own key goes to the type's own server only.
  const variable = endpoint === type.endpoint ? type.keyVariable : null;
  const apiKey = keyOf(deps, settings.apiKey ?? (variable === null ? null : { from: "env", name: variable }));
  const provider = createOpenAiProvider(deps, {
    name,
    type: settings.type,
    label: type.label,
    endpoint,
    apiKey,
    keyHint: variable === null ? null : `set ${variable}, or api_key_env of the provider`,
    // OpenAI's newer models refuse the old name, which is the only one that most other servers know.
    maxTokensName: /(^|\.)openai\.(azure\.)?com$/.test(new URL(endpoint).hostname)
      ? "max_completion_tokens"
      : "max_tokens",
  });
  return {
    provider,
    endpoint: shownEndpoint(endpoint),
    async pickModel(wanted, signal) {
      const known = wanted ?? settings.models[0] ?? type.defaultModel;
      if (variable !== null && known !== null) return apiKey() === null ? null : known;
      const { ok, models } = await provider.check(signal);
      return ok ? (known ?? models[0] ?? null) : null;
    },
  };
}

function keyOf(deps: BuildDeps, ref: SecretRef | null): () => string | null {
  return ref === null ? () => null : () => deps.secret(ref) || null;
}

function readEndpoint(name: string, endpoint: string, read: (text: string) => string): string {
  let url: URL | null = null;
  try {
    url = new URL(read(endpoint));
  } catch {
    // No URL at all; told below.
  }
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw rejected(`The endpoint of the provider ${name} is no http or https URL: ${endpoint}`);
  }
  // Endpoints stand in errors and lists.
  if (url.username === "" && url.password === "") return url.href.replace(/\/+$/, "");
  throw rejected(`The endpoint of the provider ${name} must not hold a password; put the key into api_key_env.`);
}

function whyNot(type: string): string {
  if (type === "scripted") return "The provider scripted needs a script: define one in providers.yaml.";
  if (LATER_TYPES.includes(type)) return `Providers of type ${type} are not part of this release.`;
  return `There is no provider ${type}; known are ${PROVIDER_TYPES.join(", ")}, and the names in providers.yaml.`;
}

function inWords({ path, message }: { readonly path: readonly (string | number)[]; readonly message: string }): string {
  return `${path.join(".")}: ${message}`;
}

function rejected(text: string): AstromeshError {
  return new AstromeshError("model_rejected", text);
}
