import { describe, expect, test } from "vitest";

import { createPriceTable, LIST_PRICES, toUsage } from "./prices.ts";

const own = { inputUsdPerMillion: 1, outputUsdPerMillion: 2 };

describe("a model's price", () => {
  const table = createPriceTable({ "my-model": own, "gpt-4o": own });

  test.each([
    ["openai", "gpt-4.1", LIST_PRICES["gpt-4.1"]],
    ["openai", "gpt-4.1-mini-2025-04-14", LIST_PRICES["gpt-4.1-mini"]],
    ["openai", "gpt-4.5-preview", null],
    ["openai", "o3", LIST_PRICES["o3"]],
    ["openai", "o3-mini-high", LIST_PRICES["o3-mini"]],
    ["openai", "constructor", null],
    ["openai", "-", null],
    ["openai", "", null],
    ["openai_compat", "somebody/else", null],
    ["anthropic", "claude-sonnet-4-5-20250929", LIST_PRICES["claude-sonnet-4"]],
    ["ollama", "llama3.2:1b", { inputUsdPerMillion: 0, outputUsdPerMillion: 0 }],
    ["ollama", "my-model:latest", own],
    ["openai", "gpt-4o", own],
  ])("%s %s", (type, model, price) => {
    expect(table.priceOf(type, model)).toEqual(price);
  });
});

describe("the cost of a call", () => {
  const counted = { inputTokens: 500_000, outputTokens: 250_000 };
  const free = { inputUsdPerMillion: 0, outputUsdPerMillion: 0 };

  test("is tokens times price", () => {
    expect(toUsage(counted, own)).toEqual({ ...counted, costUsd: 1 });
  });

  test("is not known without a price, nor without counts", () => {
    expect(toUsage(counted, null).costUsd).toBeNull();
    expect(toUsage(null, own)).toEqual({ inputTokens: 0, outputTokens: 0, costUsd: null });
  });

  test("is nothing where calls are free", () => {
    expect(toUsage(null, free).costUsd).toBe(0);
  });
});
