import { AstromeshError } from "../core/index.ts";
import type { SecretRef } from "../core/index.ts";
import type { ModelProvider } from "../core/ports/index.ts";
import { LATER_TYPES, OPENAI_TYPES, PROVIDER_TYPES } from "./provider-types.ts";
import type { OpenAiType, ProviderSettings } from "./provider-types.ts";
import { createOfflineProvider, OFFLINE_MODEL } from "./providers/offline.ts";
import { ollamaEndpoint } from "./providers/ollama-wire.ts";
import { createOllamaProvider } from "./providers/ollama.ts";
import { createOpenAiProvider } from "./providers/openai.ts";
import { createScriptedProvider } from "./providers/scripted.ts";
import type { ProviderDeps } from "./server-errors.ts";

/** A provider that is ready to be asked. */
export interface BuiltProvider {
  readonly provider: ModelProvider;
  /** Null when it is no server. */
  readonly endpoint: string | null;
  /** What its model `default` is now; null when it has none. */
  firstModel(signal: AbortSignal): Promise<string | null>;
}

/** What building takes besides the settings. */
export interface BuildDeps extends ProviderDeps {
  /** The value of a secret; null when it is not set. */
  readonly secret: (ref: SecretRef) => string | null;
  /** Where Ollama is unless told otherwise: OLLAMA_HOST, or http://localhost:11434. */
  readonly ollamaHost: string;
}

/**
 * Builds the provider of an entry. Throws `model_rejected` when that cannot be: an unknown type, one of a later
 * release, or an endpoint that is missing or no URL.
 */
export function buildProvider(deps: BuildDeps, settings: ProviderSettings): BuiltProvider {
  const built = buildByType(deps, settings);
  const [first] = settings.models;
  return first === undefined ? built : { ...built, firstModel: async () => first };
}

function buildByType(deps: BuildDeps, settings: ProviderSettings): BuiltProvider {
  const { name, type, script } = settings;
  const openAi = Object.hasOwn(OPENAI_TYPES, type) ? OPENAI_TYPES[type] : undefined;
  if (openAi !== undefined) return buildOpenAi(deps, settings, openAi);
  if (type === "ollama") {
    const endpoint = checked(name, settings.endpoint ?? deps.ollamaHost, ollamaEndpoint);
    const provider = createOllamaProvider(deps, { name, endpoint, apiKey: keyOf(deps, settings.apiKey) });
    return { provider, endpoint, firstModel: (signal) => provider.firstChatModel(signal) };
  }
  if (type === "offline") {
    return { provider: createOfflineProvider(deps), endpoint: null, firstModel: async () => OFFLINE_MODEL };
  }
  if (type === "scripted" && script !== null) {
    return {
      provider: createScriptedProvider(deps, { name, script }),
      endpoint: null,
      firstModel: async () => "script",
    };
  }
  throw cannotBuild(type);
}

function buildOpenAi(deps: BuildDeps, settings: ProviderSettings, type: OpenAiType): BuiltProvider {
  const { name } = settings;
  const given = settings.endpoint ?? type.endpoint;
  if (given === null) {
    const text = `The provider ${name} needs an endpoint: the base URL with its version, such as http://host:8001/v1.`;
    throw new AstromeshError("model_rejected", text);
  }
  const endpoint = checked(name, given, (text) => new URL(text).href.replace(/\/+$/, ""));
  const atHome = endpoint === type.endpoint;
  const variable = atHome ? type.keyVariable : null;
  const secretRef = settings.apiKey ?? (variable === null ? null : { from: "env" as const, name: variable });
  const provider = createOpenAiProvider(deps, {
    name,
    type: settings.type,
    label: type.label,
    endpoint,
    apiKey: keyOf(deps, secretRef),
    keyHint: variable === null ? null : `set ${variable}, or api_key_env of the provider`,
    // A server of one's own that is called `openai` knows only the older name.
    maxTokensName: atHome || type.endpoint === null ? type.maxTokensName : "max_tokens",
  });
  const firstModel = async (signal: AbortSignal): Promise<string | null> =>
    type.defaultModel ?? (await provider.check(signal)).models[0] ?? null;
  return { provider, endpoint, firstModel };
}

function keyOf(deps: BuildDeps, ref: SecretRef | null): () => string | null {
  return ref === null ? () => null : () => deps.secret(ref);
}

function checked(name: string, endpoint: string, read: (text: string) => string): string {
  try {
    const url = read(endpoint);
    if (/^https?:/.test(url)) return url;
  } catch {
    // No URL at all; told below.
  }
  throw new AstromeshError(
    "model_rejected",
    `The endpoint of the provider ${name} is no http or https URL: ${endpoint}`,
  );
}

function cannotBuild(type: string): AstromeshError {
  if (type === "scripted") {
    return new AstromeshError("model_rejected", "The provider scripted needs a script: define it in providers.yaml.");
  }
  if (LATER_TYPES.includes(type)) {
    return new AstromeshError("model_rejected", `Providers of type ${type} are not part of this release.`);
  }
  const text = `There is no provider ${type}; known types: ${PROVIDER_TYPES.join(", ")}, and the names in providers.yaml.`;
  return new AstromeshError("model_rejected", text);
}
