import { z } from "zod";

import type { Usage } from "../core/index.ts";

/** Tokens and money. `cost_usd` is absent when a model in it has no price. */
export const usageBody = z
  .object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    total_tokens: z.number(),
    cost_usd: z.number().optional(),
  })
  .meta({ id: "Usage" });
/** See `usageBody`. */
export type UsageBody = z.infer<typeof usageBody>;

/** A usage on the wire. */
export function usageToWire(usage: Usage): UsageBody {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(usage.costUsd === null ? {} : { cost_usd: usage.costUsd }),
  };
}

/** A usage from the wire. */
export function usageFromWire(body: UsageBody): Usage {
  return { inputTokens: body.input_tokens, outputTokens: body.output_tokens, costUsd: body.cost_usd ?? null };
}
