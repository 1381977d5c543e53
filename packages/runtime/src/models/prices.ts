import type { Usage } from "../core/index.ts";

/** What a million tokens cost, in United States dollars. */
export interface Price {
  readonly inputUsd: number;
  readonly outputUsd: number;
}

/**
 * List prices of the standard tier, without caching and batch discounts, as the vendors published them by 2026-03
 * (https://openai.com/api/pricing, https://www.anthropic.com/pricing). Prices move: `prices` in providers.yaml
 * overrides and extends this table. A name stands for its dated and tagged versions, too.
 */
export const LIST_PRICES: Readonly<Record<string, Price>> = {
  "gpt-5.4": { inputUsd: 2.5, outputUsd: 15 },
  "gpt-5.1": { inputUsd: 1.25, outputUsd: 10 },
  "gpt-5-pro": { inputUsd: 15, outputUsd: 120 },
  "gpt-5-mini": { inputUsd: 0.25, outputUsd: 2 },
  "gpt-5-nano": { inputUsd: 0.05, outputUsd: 0.4 },
  "gpt-5": { inputUsd: 1.25, outputUsd: 10 },
  "gpt-4.1-mini": { inputUsd: 0.4, outputUsd: 1.6 },
  "gpt-4.1-nano": { inputUsd: 0.1, outputUsd: 0.4 },
  "gpt-4.1": { inputUsd: 2, outputUsd: 8 },
  "gpt-4o-mini": { inputUsd: 0.15, outputUsd: 0.6 },
  "gpt-4o": { inputUsd: 2.5, outputUsd: 10 },
  "gpt-4-turbo": { inputUsd: 10, outputUsd: 30 },
  "gpt-4-32k": { inputUsd: 60, outputUsd: 120 },
  "gpt-4": { inputUsd: 30, outputUsd: 60 },
  "gpt-3.5-turbo": { inputUsd: 0.5, outputUsd: 1.5 },
  "o4-mini": { inputUsd: 1.1, outputUsd: 4.4 },
  "o3-pro": { inputUsd: 20, outputUsd: 80 },
  "o3-mini": { inputUsd: 1.1, outputUsd: 4.4 },
  o3: { inputUsd: 2, outputUsd: 8 },
  "o1-pro": { inputUsd: 150, outputUsd: 600 },
  "o1-mini": { inputUsd: 1.1, outputUsd: 4.4 },
  o1: { inputUsd: 15, outputUsd: 60 },
  "claude-opus-4-5": { inputUsd: 5, outputUsd: 25 },
  "claude-opus-4-1": { inputUsd: 15, outputUsd: 75 },
  "claude-opus-4-0": { inputUsd: 15, outputUsd: 75 },
  "claude-opus-4-20250514": { inputUsd: 15, outputUsd: 75 },
  "claude-sonnet-4": { inputUsd: 3, outputUsd: 15 },
  "claude-haiku-4-5": { inputUsd: 1, outputUsd: 5 },
  "claude-3-7-sonnet": { inputUsd: 3, outputUsd: 15 },
  "claude-3-5-sonnet": { inputUsd: 3, outputUsd: 15 },
  "claude-3-5-haiku": { inputUsd: 0.8, outputUsd: 4 },
  "claude-3-opus": { inputUsd: 15, outputUsd: 75 },
  "claude-3-sonnet": { inputUsd: 3, outputUsd: 15 },
  "claude-3-haiku": { inputUsd: 0.25, outputUsd: 1.25 },
};

/** Servers that people run themselves: a call costs nothing unless the user gives it a price. */
const OWN_SERVERS = new Set(["ollama", "vllm", "tgi", "llamacpp", "lmstudio", "local", "offline", "scripted"]);

const FREE: Price = { inputUsd: 0, outputUsd: 0 };

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
  const free = price !== null && price.inputUsd === 0 && price.outputUsd === 0;
  if (price === null || (counted === null && !free)) return { inputTokens, outputTokens, costUsd: null };
  return {
    inputTokens,
    outputTokens,
    costUsd: (inputTokens * price.inputUsd + outputTokens * price.outputUsd) / 1_000_000,
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
