import type { Clock } from "../core/index.ts";
import type { BuiltProvider } from "./build-provider.ts";

/** The provider and model that stand for whatever the node has. */
export const DEFAULT = "default";

/** A provider and one of its models. */
export interface ModelChoice {
  readonly provider: string;
  readonly model: string;
}

/** Finds what `default` means. */
export interface DefaultModel {
  /** The choice, and how it came about, for people. */
  choose(signal: AbortSignal): Promise<ModelChoice & { readonly why: string }>;
}

/** What it looks at. */
export interface DefaultModelOptions {
  readonly configured: ModelChoice | null;
  readonly provider: (name: string) => BuiltProvider;
  readonly hasOpenAiKey: () => boolean;
}

/** A node should notice soon when somebody starts Ollama, and need not ask before each call whether it is there. */
const KEEP_FOUND_MS = 30_000;
const KEEP_OFFLINE_MS = 5_000;

/**
 * The first usable of: the configured default, Ollama if it answers and has a model that chats, OpenAI if there is a
 * key, the offline model. What was found is kept for a while; calls that come together share one search.
 */
export function createDefaultModel(deps: { readonly clock: Clock }, options: DefaultModelOptions): DefaultModel {
  let search: Promise<ModelChoice & { readonly why: string }> | null = null;
  let keepUntil = 0;

  const look = async (): Promise<ModelChoice & { readonly why: string }> => {
    if (options.configured !== null) return { ...options.configured, why: "the configured default" };
    const ollama = options.provider("ollama");
    // The search is shared, so no single caller may end it; the provider bounds its own requests.
    const model = await ollama.firstModel(new AbortController().signal).catch(() => null);
    if (model !== null) return { provider: "ollama", model, why: `default: Ollama at ${ollama.endpoint} answers` };
    if (options.hasOpenAiKey()) {
      return { provider: "openai", model: DEFAULT, why: "default: no Ollama, but a key for OpenAI" };
    }
    const why = `default: no Ollama model at ${ollama.endpoint} and no OPENAI_API_KEY, so the built-in offline model`;
    return { provider: "offline", model: DEFAULT, why };
  };
  return {
    async choose(signal) {
      signal.throwIfAborted();
      if (search === null || deps.clock.monotonic() >= keepUntil) {
        keepUntil = Number.POSITIVE_INFINITY;
        search = look().then((choice) => {
          keepUntil = deps.clock.monotonic() + (choice.provider === "offline" ? KEEP_OFFLINE_MS : KEEP_FOUND_MS);
          return choice;
        });
        search.catch(() => {
          search = null;
        });
      }
      return search;
    },
  };
}
