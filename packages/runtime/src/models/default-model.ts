import type { Clock } from "../core/index.ts";
import type { BuiltProvider } from "./build-provider.ts";

/** The provider and model that stand for whatever the node has. */
export const DEFAULT = "default";

/** A provider, and one of its models or whichever it has. */
export interface DefaultCandidate {
  readonly provider: string;
  readonly model: string | null;
}

/** What `default` means now. */
export interface DefaultChoice {
  readonly provider: string;
  readonly model: string;
  /** How it came about, for people. */
  readonly why: string;
}

/** Finds what `default` means. */
export interface DefaultModel {
  choose(signal: AbortSignal): Promise<DefaultChoice>;
}

/** In the order in which people would want them; the offline model is always there. */
export const DEFAULT_CANDIDATES: readonly DefaultCandidate[] = [
  { provider: "ollama", model: null },
  { provider: "openai", model: null },
  { provider: "offline", model: null },
];

/** A node should notice soon when somebody starts Ollama, and need not ask before each call whether it is there. */
const KEEP_FIRST_MS = 30_000;
const KEEP_OTHER_MS = 5_000;

/**
 * The first candidate that can be used: a server that answers and has the model, OpenAI when there is a key. What
 * was found is kept for a while; calls that come together share one search.
 */
export function createDefaultModel(
  clock: Clock,
  candidates: readonly DefaultCandidate[],
  provider: (name: string) => BuiltProvider,
): DefaultModel {
  let search: Promise<DefaultChoice> | null = null;
  let keepUntil = 0;

  const look = async (): Promise<DefaultChoice> => {
    const passedOver: string[] = [];
    for (const candidate of candidates) {
      const found = await usable(candidate, provider);
      if (found !== null) {
        const instead = passedOver.length === 0 ? "" : ` (cannot be used now: ${passedOver.join(", ")})`;
        return {
          provider: candidate.provider,
          model: found,
          why: `default is ${candidate.provider}/${found}${instead}`,
        };
      }
      passedOver.push(candidate.provider);
    }
    return {
      provider: "offline",
      model: DEFAULT,
      why: "default is the built-in offline model: nothing else can be used",
    };
  };
  return {
    choose(signal) {
      signal.throwIfAborted();
      if (search === null || clock.monotonic() >= keepUntil) {
        keepUntil = Number.POSITIVE_INFINITY;
        search = look().then((choice) => {
          const first = choice.provider === candidates[0]?.provider;
          keepUntil = clock.monotonic() + (first ? KEEP_FIRST_MS : KEEP_OTHER_MS);
          return choice;
        });
      }
      return search;
    },
  };
}

async function usable(
  { provider: name, model }: DefaultCandidate,
  provider: (name: string) => BuiltProvider,
): Promise<string | null> {
  // The search is shared, so no single caller may end it; providers bound these requests themselves.
  const { signal } = new AbortController();
  try {
    return await provider(name).pickModel(model, signal);
  } catch {
    return null;
  }
}
