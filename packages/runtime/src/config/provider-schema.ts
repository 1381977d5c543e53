import { z } from "zod";

import { ROUTING_STRATEGIES } from "../core/index.ts";
import { PROVIDER_TYPES } from "./provider-types.ts";
import {
  envelope,
  httpUrl,
  json,
  jsonObject,
  namedMetadata,
  positiveDuration,
  text,
  variableName,
} from "./schema-parts.ts";

const provider = z.strictObject({
  type: z.enum(PROVIDER_TYPES).describe("What the server speaks."),
  endpoint: httpUrl.optional().describe("The base URL: with its version for OpenAI's protocol, the root for Ollama."),
  models: z.array(text).default([]).describe("Models to offer; the first is the one for `model: default`."),
  api_key: text.optional().describe("Best a ${VARIABLE}."),
  api_key_env: variableName.optional().describe("The variable that holds the key."),
  timeout: positiveDuration.default("120s").describe("How long the model may stay silent. Default 120s."),
  parameters: jsonObject.default({}).describe("Sampling parameters for every call; an agent's own win."),
  script: z
    .union([text, z.array(json), jsonObject])
    .optional()
    .describe("For type scripted: the file of replies, or the replies themselves."),
  health_check_interval: positiveDuration.default("30s").describe("Default 30s."),
});

const price = z.strictObject({
  input: z.number().min(0).describe("US dollars per million tokens in."),
  output: z.number().min(0).describe("US dollars per million tokens out."),
});

/** providers.yaml, or any providers*.yaml beside it. */
export const providerFile = z.strictObject({
  ...envelope("ProviderConfig"),
  metadata: namedMetadata.prefault({}),
  spec: z
    .strictObject({
      providers: z.record(text, provider).default({}).describe("Model servers by name."),
      default: z
        .strictObject({ provider: text, model: text.optional() })
        .optional()
        .describe("The model of agents that name none. Default: the first that answers."),
      routing: z
        .strictObject({
          default_strategy: z.enum(ROUTING_STRATEGIES).optional(),
          fallback_enabled: z.boolean().optional().describe("Ask the next candidate when one fails. Default true."),
          circuit_breaker: z
            .strictObject({
              failure_threshold: z.int().min(1).optional().describe("Failures in a row that open it. Default 3."),
              recovery_timeout: positiveDuration.optional().describe("Rest before a probe. Default 60s."),
            })
            .prefault({}),
        })
        .prefault({}),
      prices: z.record(text, price).default({}).describe("Prices by model, above or beside the built-in ones."),
    })
    .prefault({}),
});

/** A providers.yaml with its defaults. */
export type ProviderFile = z.output<typeof providerFile>;

/** One entry of it. */
export type ProviderFileEntry = z.output<typeof provider>;
