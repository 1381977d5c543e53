import { z } from "zod";

import { PATTERNS, ROUTING_STRATEGIES } from "../core/index.ts";
import {
  envelope,
  httpUrl,
  json,
  jsonObject,
  positiveDuration,
  resourceName,
  text,
  variableName,
} from "./schema-parts.ts";

// What an agent file may say. `agent-definition.ts` turns it into core's AgentDefinition.

/** Sampling parameters with our names; others pass through to the provider as they are. */
export const KNOWN_PARAMETERS = ["temperature", "top_p", "max_tokens", "stop", "seed"] as const;

const parameters = z
  .object({
    temperature: z.number().min(0).optional(),
    top_p: z.number().min(0).max(1).optional(),
    max_tokens: z.int().min(1).optional(),
    stop: z.union([z.string(), z.array(z.string())], { error: "expected text or a list of texts" }).optional(),
    seed: z.int().optional(),
  })
  .catchall(json);

const candidate = z.strictObject({
  provider: text.optional().describe("A provider type, or the name of an entry of providers.yaml."),
  source: text.optional().describe("The same as provider."),
  model: text.describe("The model's name at the provider."),
  endpoint: httpUrl.optional().describe("The server's base URL."),
  api_key: text.optional().describe("Best a ${VARIABLE}."),
  api_key_env: variableName.optional().describe("The variable that holds the key."),
  timeout: positiveDuration.default("120s").describe("How long the model may stay silent. Default 120s."),
  parameters: parameters.prefault({}),
  temperature: z.number().min(0).optional().describe("Short for parameters.temperature."),
  max_tokens: z.int().min(1).optional().describe("Short for parameters.max_tokens."),
});

const policy = z.strictObject({
  candidates: z.array(candidate).min(1),
  strategy: z.enum(ROUTING_STRATEGIES).optional().describe("Default: the node's, quality_first."),
});

const model = z.strictObject({
  primary: candidate.optional(),
  fallback: candidate.optional().describe("Asked when primary fails."),
  extra: z.record(text, candidate).optional().describe("Asked after fallback, in this order."),
  default: policy.optional().describe("The general form of primary and fallback."),
  roles: z.record(resourceName, policy).default({}).describe("Other models by role, see orchestration.role_map."),
  routing: z.strictObject({ strategy: z.enum(ROUTING_STRATEGIES).optional() }).prefault({}),
});

const rateLimit = z.strictObject({
  window: positiveDuration.optional(),
  window_seconds: z.int().min(1).optional(),
  max_calls: z.int().min(1).default(10),
});

const tool = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: "must be 1 to 64 letters, digits, dashes and underscores" }),
  type: z.enum(["builtin", "mcp", "agent", "webhook", "client", "rag"]).default("builtin"),
  description: text.optional().describe("Told to the model instead of the tool's own."),
  parameters: jsonObject.optional().describe("JSON Schema of the arguments, instead of the tool's own."),
  config: jsonObject.default({}),
  effect: z
    .enum(["read", "idempotent", "once"])
    .optional()
    .describe("What repeating a call does. Default: what the tool says."),
  approval: z.enum(["never", "ask"]).default("never"),
  timeout: positiveDuration.optional(),
  rate_limit: rateLimit.optional(),
});

const conversational = z.strictObject({
  backend: z.enum(["sqlite", "postgres", "redis"]).default("sqlite"),
  strategy: z.enum(["sliding_window", "summary", "token_budget"]).default("sliding_window"),
  max_turns: z.int().min(1).default(50).describe("Questions with their answers that are recalled. Default 50."),
  token_budget: z.int().min(1).default(4096),
  ttl: positiveDuration.optional().describe("How long a silent session is remembered. Default: for ever."),
});

const memory = z.strictObject({
  conversational: conversational.optional().describe("What was said in the session. Without it, nothing is kept."),
  episodic: jsonObject.optional(),
  semantic: jsonObject.optional(),
});

const guardrail = z
  .object({ type: text, action: text.optional() })
  .catchall(json)
  .describe("One guardrail; other keys are its settings.");

const orchestration = z.strictObject({
  pattern: z.enum(PATTERNS).optional().describe("Default: the node's, react."),
  max_iterations: z.int().min(1).max(1000).optional().describe("Model calls with tools at most. Default 10."),
  timeout: positiveDuration.optional().describe("How long a run may work. Default: the node's, 1h."),
  timeout_seconds: z.number().positive().optional().describe("The same as timeout."),
  role_map: z.record(text, resourceName).default({}).describe("The pattern's role to the name of a model role."),
  options: jsonObject.default({}).describe("What else the pattern reads."),
});

/** `spec` of an agent. */
const agentSpec = z.strictObject({
  identity: z
    .strictObject({
      display_name: text.optional(),
      description: z.string().default(""),
      avatar: text.optional(),
    })
    .prefault({}),
  model: model.prefault({}).describe("Default: whichever model the node finds."),
  prompts: z
    .strictObject({
      system: z.string().default("You are a helpful assistant.").describe("A template in Jinja's language."),
      templates: z.record(text, z.string()).default({}),
    })
    .prefault({}),
  orchestration: orchestration.prefault({}),
  tools: z.array(tool).default([]),
  memory: memory.prefault({}),
  guardrails: z
    .strictObject({ input: z.array(guardrail).default([]), output: z.array(guardrail).default([]) })
    .prefault({}),
  permissions: z.strictObject({ allowed_actions: z.array(text).optional() }).prefault({}),
  knowledge: z.strictObject({ pipeline: text, top_k: z.int().min(1).default(5) }).optional(),
  output_schema: jsonObject.optional(),
  schedules: z
    .array(z.strictObject({ name: resourceName, cron: text, timezone: text.optional(), query: text }))
    .default([]),
  channels: z.array(z.strictObject({ type: text, config: jsonObject.default({}) })).default([]),
  budget: z
    .strictObject({ max_tokens: z.int().min(1).optional(), max_cost_usd: z.number().positive().optional() })
    .prefault({}),
  execution: z.strictObject({ target_tags: z.array(text).default([]) }).prefault({}),
});

/** An agent file. */
export const agentFile = z.strictObject({
  ...envelope("Agent"),
  metadata: z.strictObject({
    name: resourceName,
    version: z.string().default("1.0.0"),
    namespace: text.default("default"),
    labels: z.record(text, z.string()).default({}),
  }),
  spec: agentSpec.prefault({}),
});

/** An agent file with its defaults. */
export type AgentFile = z.output<typeof agentFile>;

/** `spec` of it. */
export type AgentSpec = AgentFile["spec"];
