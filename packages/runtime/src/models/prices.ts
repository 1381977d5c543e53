import type { Usage } from "../core/index.ts";

/** What a million tokens cost, in United States dollars. */
export interface Price {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
}

/**
 * List prices of the standard tier, without caching and batch discounts, as the vendors published them by 2026-03
 * (https://openai.com/api/pricing, https://www.anthropic.com/pricing). Prices move: `prices` in providers.yaml
 * overrides and extends this table. A name stands for its dated and tagged versions, too.
 */
export const LIST_PRICES: Readonly<Record<string, Price>> = {
  "gpt-5.4": { inputUsdPerMillion: 2.5, outputUsdPerMillion: 15 },
  "gpt-5.1": { inputUsdPerMillion: 1.25, outputUsdPerMillion: 10 },
  "gpt-5-pro": { inputUsdPerMillion: 15, outputUsdPerMillion: 120 },
  "gpt-5-mini": { inputUsdPerMillion: 0.25, outputUsdPerMillion: 2 },
  "gpt-5-nano": { inputUsdPerMillion: 0.05, outputUsdPerMillion: 0.4 },
  "gpt-5": { inputUsdPerMillion: 1.25, outputUsdPerMillion: 10 },
  "gpt-4.1-mini": { inputUsdPerMillion: 0.4, outputUsdPerMillion: 1.6 },
  "gpt-4.1-nano": { inputUsdPerMillion: 0.1, outputUsdPerMillion: 0.4 },
  "gpt-4.1": { inputUsdPerMillion: 2, outputUsdPerMillion: 8 },
  "gpt-4o-mini": { inputUsdPerMillion: 0.15, outputUsdPerMillion: 0.6 },
  "gpt-4o": { inputUsdPerMillion: 2.5, outputUsdPerMillion: 10 },
  "gpt-4-turbo": { inputUsdPerMillion: 10, outputUsdPerMillion: 30 },
  "gpt-4-32k": { inputUsdPerMillion: 60, outputUsdPerMillion: 120 },
  "gpt-4": { inputUsdPerMillion: 30, outputUsdPerMillion: 60 },
  "gpt-3.5-turbo": { inputUsdPerMillion: 0.5, outputUsdPerMillion: 1.5 },
  "o4-mini": { inputUsdPerMillion: 1.1, outputUsdPerMillion: 4.4 },
  "o3-pro": { inputUsdPerMillion: 20, outputUsdPerMillion: 80 },
  "o3-mini": { inputUsdPerMillion: 1.1, outputUsdPerMillion: 4.4 },
  o3: { inputUsdPerMillion: 2, outputUsdPerMillion: 8 },
  "o1-pro": { inputUsdPerMillion: 150, outputUsdPerMillion: 600 },
  "o1-mini": { inputUsdPerMillion: 1.1, outputUsdPerMillion: 4.4 },
  o1: { inputUsdPerMillion: 15, outputUsdPerMillion: 60 },
  "claude-opus-4-5": { inputUsdPerMillion: 5, outputUsdPerMillion: 25 },
  "claude-opus-4-1": { inputUsdPerMillion: 15, outputUsdPerMillion: 75 },
  "claude-opus-4-0": { inputUsdPerMillion: 15, outputUsdPerMillion: 75 },
  "claude-opus-4-20250514": { inputUsdPerMillion: 15, outputUsdPerMillion: 75 },
  "claude-sonnet-4": { inputUsdPerMillion: 3, outputUsdPerMillion: 15 },
  "claude-haiku-4-5": { inputUsdPerMillion: 1, outputUsdPerMillion: 5 },
  "claude-3-7-sonnet": { inputUsdPerMillion: 3, outputUsdPerMillion: 15 },
  "claude-3-5-sonnet": { inputUsdPerMillion: 3, outputUsdPerMillion: 15 },
  "claude-3-5-haiku": { inputUsdPerMillion: 0.8, outputUsdPerMillion: 4 },
  "claude-3-opus": { inputUsdPerMillion: 15, outputUsdPerMillion: 75 },
  "claude-3-sonnet": { inputUsdPerMillion: 3, outputUsdPerMillion: 15 },
  "claude-3-haiku": { inputUsdPerMillion: 0.25, outputUsdPerMillion: 1.25 },
};

/** Servers that people run themselves: a call costs nothing unless the user gives it a price. */
const OWN_SERVERS = new Set(["ollama", "vllm", "tgi", "llamacpp", "lmstudio", "local", "offline", "scripted"]);

const FREE: Price = { inputUsdPerMillion: 0, outputUsdPerMillion: 0 };

/** Finds prices. */
export interface PriceTable {
  /** The price of a model at a type of provider; null when it is not known. */
  priceOf(providerType: string, model: string): Price | null;
}

/** The list prices with the user's own before them. */
export function createPriceTable(own: Readonly<Record<string, Price>>): PriceTable {
  return {
    priceOf(providerType, model) {
      const set = longestMatch(own, model);
      if (set !== null) return set;
      return OWN_SERVERS.has(providerType) ? FREE : longestMatch(LIST_PRICES, model);
    },
  };
}

/** What a call used, with its cost; the cost of tokens that were not counted is not known. */
export function toUsage(
  counted: { readonly inputTokens: number; readonly outputTokens: number } | null,
  price: Price | null,
): Usage {
  const { inputTokens, outputTokens } = counted ?? { inputTokens: 0, outputTokens: 0 };
  const free = price !== null && price.inputUsdPerMillion === 0 && price.outputUsdPerMillion === 0;
  if (price === null || (counted === null && !free)) return { inputTokens, outputTokens, costUsd: null };
  return {
    inputTokens,
    outputTokens,
    costUsd: (inputTokens * price.inputUsdPerMillion + outputTokens * price.outputUsdPerMillion) / 1_000_000,
  };
}

/**
 * The longest name that the model's name begins with, up to its end or to a `-`, `:` or `@`: `gpt-4o-2024-08-06` is
 * a `gpt-4o`, but `gpt-4.5` is no `gpt-4`.
 */
function longestMatch(table: Readonly<Record<string, Price>>, model: string): Price | null {
  for (
    let end = model.length;
    end > 0;
    end = Math.max(...["-", ":", "@"].map((mark) => model.lastIndexOf(mark, end - 1)))
  ) {
    const price = Object.hasOwn(table, model.slice(0, end)) ? table[model.slice(0, end)] : undefined;
    if (price !== undefined) return price;
  }
  return null;
}
