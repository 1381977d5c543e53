import type { JsonObject, ModelCandidate } from "../core/index.ts";
import { AstromeshError } from "../core/index.ts";
import type { ModelProvider, ProviderStatus } from "../core/ports/index.ts";
import type { BreakerBoard } from "./breaker-board.ts";
import { buildProvider } from "./build-provider.ts";
import type { BuildDeps, BuiltProvider } from "./build-provider.ts";
import { createDefaultModel, DEFAULT } from "./default-model.ts";
import type { ModelChoice } from "./default-model.ts";
import { createPriceTable } from "./prices.ts";
import type { Price, PriceTable } from "./prices.ts";
import type { ProviderSettings } from "./provider-types.ts";

/** What a registry is built with. */
export interface RegistryDeps extends Omit<BuildDeps, "ollamaHost"> {
  readonly breakers: BreakerBoard;
}

/** What the configuration says of models. */
export interface RegistryOptions {
  readonly providers: readonly ProviderSettings[];
  /** What provider `default` means; null looks for what there is. */
  readonly default: ModelChoice | null;
  /** Where Ollama is, as OLLAMA_HOST says it; null for http://localhost:11434. */
  readonly ollamaHost: string | null;
  /** Prices of the user's own, by model name. */
  readonly prices: Readonly<Record<string, Price>>;
}

/** A candidate, made ready to be asked. */
export interface ResolvedCandidate {
  readonly provider: ModelProvider;
  readonly model: string;
  readonly endpoint: string | null;
  readonly parameters: JsonObject;
  readonly timeoutMs: number;
  /** How `default` came to mean this; null when the candidate said it itself. */
  readonly why: string | null;
}

/** The providers of one configuration. Immutable: a reload makes another and swaps it in. */
export interface ModelRegistry extends PriceTable {
  /** Rejects with the reason when the candidate cannot be asked as it is. */
  resolve(candidate: ModelCandidate, signal: AbortSignal): Promise<ResolvedCandidate>;
  /** Asks every provider how it does. */
  check(signal: AbortSignal): Promise<readonly ProviderStatus[]>;
}

/**
 * A registry. A candidate's provider is the name of an entry, else a type: then the first entry of that type, else
 * the type with its own defaults. An endpoint in the candidate replaces the provider's; the provider's key goes
 * along only if both are of one origin, so that no agent file can send a node's key elsewhere.
 */
export function createModelRegistry(deps: RegistryDeps, options: RegistryOptions): ModelRegistry {
  const buildDeps: BuildDeps = { ...deps, ollamaHost: options.ollamaHost ?? "http://localhost:11434" };
  const built = new Map<string, BuiltProvider>();
  const settingsOf = (provider: string): ProviderSettings =>
    options.providers.find(({ name }) => name === provider) ??
    options.providers.find(({ type }) => type === provider) ??
    bare(provider);

  const build = (settings: ProviderSettings): BuiltProvider => {
    const key = JSON.stringify([settings.name, settings.endpoint, settings.apiKey]);
    const known = built.get(key) ?? buildProvider(buildDeps, settings);
    built.set(key, known);
    return known;
  };
  const forCandidate = ({ provider, endpoint, apiKey }: Pick<ModelCandidate, "provider" | "endpoint" | "apiKey">) => {
    const settings = settingsOf(provider);
    if (endpoint === null && apiKey === null) return { settings, ...build(settings) };
    const keepsKey = endpoint === null || sameOrigin(endpoint, settings.endpoint);
    const own = {
      ...settings,
      endpoint: endpoint ?? settings.endpoint,
      apiKey: apiKey ?? (keepsKey ? settings.apiKey : null),
    };
    return { settings, ...build(own) };
  };
  const modelOf = async (built: BuiltProvider, model: string, signal: AbortSignal): Promise<string> => {
    const found = model === DEFAULT ? await built.firstModel(signal) : model;
    if (found !== null) return found;
    throw new AstromeshError("model_not_found", `The provider ${built.provider.name} has no model to chat with.`);
  };
  const defaultModel = createDefaultModel(deps, {
    configured: options.default,
    provider: (name) => forCandidate({ provider: name, endpoint: null, apiKey: null }),
    hasOpenAiKey: () => deps.secret(settingsOf("openai").apiKey ?? { from: "env", name: "OPENAI_API_KEY" }) !== null,
  });

  return {
    ...createPriceTable(options.prices),
    async resolve(candidate, signal) {
      const { timeoutMs } = candidate;
      const choice = candidate.provider === DEFAULT ? await defaultModel.choose(signal) : null;
      const found = forCandidate(choice === null ? candidate : { ...candidate, provider: choice.provider });
      const wanted = candidate.model === DEFAULT && choice !== null ? choice.model : candidate.model;
      return {
        provider: found.provider,
        model: await modelOf(found, wanted, signal),
        endpoint: found.endpoint,
        parameters: { ...found.settings.parameters, ...candidate.parameters },
        timeoutMs,
        why: choice?.why ?? null,
      };
    },
    check(signal) {
      const names = new Set(options.providers.map(({ name }) => name));
      for (const type of ["ollama", "openai", "offline"])
        if (!options.providers.some((p) => p.type === type)) names.add(type);
      return Promise.all(
        [...names].map((name) => statusOf(() => build(settingsOf(name)), settingsOf(name), deps.breakers, signal)),
      );
    },
  };
}

async function statusOf(
  build: () => BuiltProvider,
  { name, type, endpoint }: ProviderSettings,
  breakers: BreakerBoard,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  const breaker = breakers.worst(name);
  try {
    const built = build();
    const { ok, message, models } = await built.provider.check(signal);
    return { name, type, endpoint: built.endpoint, ok, message, models, breaker };
  } catch (error) {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return { name, type, endpoint, ok: false, message, models: [], breaker };
  }
}

function bare(type: string): ProviderSettings {
  return { name: type, type, endpoint: null, apiKey: null, parameters: {}, models: [], script: null };
}

function sameOrigin(a: string, b: string | null): boolean {
  return b !== null && URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin;
}
