import type { JsonObject, ModelCandidate } from "../core/index.ts";
import { AstromeshError } from "../core/index.ts";
import type { ModelProvider, ProviderStatus } from "../core/ports/index.ts";
import type { BreakerBoard } from "./breaker-board.ts";
import { buildProvider } from "./build-provider.ts";
import type { BuildDeps, BuiltProvider } from "./build-provider.ts";
import { createDefaultModel, DEFAULT, DEFAULT_CANDIDATES } from "./default-model.ts";
import type { DefaultCandidate } from "./default-model.ts";
import { createPriceTable } from "./prices.ts";
import type { Price } from "./prices.ts";
import { OPENAI_TYPES } from "./provider-types.ts";
import type { ProviderSettings } from "./provider-types.ts";
import { shownEndpoint } from "./server-errors.ts";

/** What a registry is built with. */
export interface RegistryDeps extends BuildDeps {
  readonly breakers: BreakerBoard;
}

/** What the configuration says of models. */
export interface RegistryOptions {
  readonly providers: readonly ProviderSettings[];
  /** What provider `default` means: the first of these that can be used. Empty: Ollama, OpenAI, offline. */
  readonly defaultCandidates: readonly DefaultCandidate[];
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
export interface ModelRegistry {
  /** Rejects with the reason when the candidate cannot be asked as it is. */
  resolve(candidate: ModelCandidate, signal: AbortSignal): Promise<ResolvedCandidate>;
  /** The price of a model at a provider, by its name or type; null when it is not known. */
  priceOf(provider: string, model: string): Price | null;
  /** Asks every provider how it does. */
  check(signal: AbortSignal): Promise<readonly ProviderStatus[]>;
}

/**
 * A registry. A candidate's provider is the name of an entry, else a type: then the first entry of that type, else
 * the type with its own defaults. An endpoint in the candidate replaces the provider's; the provider's key goes
 * along only if both are of one origin, so that no agent file can send a node's key elsewhere.
 */
export function createModelRegistry(deps: RegistryDeps, options: RegistryOptions): ModelRegistry {
  const providers = createProviderCache(deps, options.providers);
  const candidates = options.defaultCandidates.length > 0 ? options.defaultCandidates : DEFAULT_CANDIDATES;
  const defaultModel = createDefaultModel(deps.clock, candidates, (name) => providers.get(name).built);
  const prices = createPriceTable(options.prices);

  return {
    priceOf: (provider, model) => prices.priceOf(providers.settings(provider).type, model),
    async resolve(candidate, signal) {
      const choice = candidate.provider === DEFAULT ? await defaultModel.choose(signal) : null;
      const { settings, built } = providers.get(choice?.provider ?? candidate.provider, candidate);
      const named = candidate.model === DEFAULT ? (choice?.model ?? DEFAULT) : candidate.model;
      const model = named === DEFAULT ? await built.pickModel(null, signal) : named;
      if (model === null) {
        throw new AstromeshError("model_not_found", `The provider ${settings.name} has no model to chat with.`);
      }
      return {
        provider: built.provider,
        model,
        endpoint: built.endpoint,
        parameters: { ...settings.parameters, ...candidate.parameters },
        timeoutMs: candidate.timeoutMs,
        why: choice?.why ?? null,
      };
    },
    check(signal) {
      const builtIn = DEFAULT_CANDIDATES.map(({ provider }) => provider);
      const missing = builtIn.filter((builtIn) => !options.providers.some(({ type }) => type === builtIn));
      const names = [...options.providers.map(({ name }) => name), ...missing];
      return Promise.all(names.map((name) => statusOf(providers, name, deps.breakers, signal)));
    },
  };
}

/** Providers by what they are made of, built at their first use. */
interface ProviderCache {
  settings(provider: string): ProviderSettings;
  get(
    provider: string,
    own?: Pick<ModelCandidate, "endpoint" | "apiKey">,
  ): { readonly settings: ProviderSettings; readonly built: BuiltProvider };
}

function createProviderCache(deps: BuildDeps, entries: readonly ProviderSettings[]): ProviderCache {
  const cache = new Map<string, BuiltProvider>();
  const settingsOf = (provider: string): ProviderSettings =>
    entries.find(({ name }) => name === provider) ??
    entries.find(({ type }) => type === provider) ?? {
      name: provider,
      type: provider,
      endpoint: null,
      apiKey: null,
      parameters: {},
      models: [],
      script: null,
    };
  return {
    settings: settingsOf,
    get(provider, own = { endpoint: null, apiKey: null }) {
      const settings = settingsOf(provider);
      // Without a key there is nothing to keep, and addresses cost more to compare than all the rest of this.
      const keepsKey =
        settings.apiKey === null ||
        own.endpoint === null ||
        sameOrigin(own.endpoint, settings.endpoint ?? OPENAI_TYPES[settings.type]?.endpoint);
      const merged: ProviderSettings = {
        ...settings,
        endpoint: own.endpoint ?? settings.endpoint,
        apiKey: own.apiKey ?? (keepsKey ? settings.apiKey : null),
      };
      const key = JSON.stringify([merged.name, merged.endpoint, merged.apiKey]);
      const built = cache.get(key) ?? buildProvider(deps, merged);
      cache.set(key, built);
      return { settings, built };
    },
  };
}

async function statusOf(
  providers: ProviderCache,
  name: string,
  breakers: BreakerBoard,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  const { type, endpoint } = providers.settings(name);
  const breaker = breakers.worst(name);
  try {
    const { built } = providers.get(name);
    const { ok, message, models } = await built.provider.check(signal);
    return { name, type, endpoint: built.endpoint, ok, message, models, breaker };
  } catch (error) {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return {
      name,
      type,
      endpoint: endpoint === null ? null : shownEndpoint(endpoint),
      ok: false,
      message,
      models: [],
      breaker,
    };
  }
}

function sameOrigin(a: string, b: string | null | undefined): boolean {
  return typeof b === "string" && URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin;
}
