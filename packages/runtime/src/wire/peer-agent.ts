/** Agents and session memory between nodes. Core's own names, as in peer-run.ts; secrets are hidden before they leave. */
import { z } from "zod";

import { PATTERNS, ROUTING_STRATEGIES } from "../core/index.ts";
import type { AgentDefinition, JsonObject, ModelPolicy, RejectedAgent, SecretRef } from "../core/index.ts";
import type { Catalog, ConversationKey, ConversationTurn, LoadedAgent } from "../core/ports/index.ts";
import { jsonObject } from "./json.ts";
import { peerMessage } from "./peer-model.ts";
import { redact, redactText } from "./redact.ts";

const texts = z.array(z.string());
const labels = z.record(z.string(), z.string());

const secretRef = z.union([
  z.object({ from: z.literal("env"), name: z.string() }),
  z.object({ from: z.literal("file"), owner: z.string(), path: z.array(z.union([z.string(), z.number()])) }),
]) satisfies z.ZodType<SecretRef>;

const policy = z.object({
  candidates: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      endpoint: z.string().nullable(),
      apiKey: secretRef.nullable(),
      timeoutMs: z.number(),
      parameters: jsonObject,
    }),
  ),
  strategy: z.enum(ROUTING_STRATEGIES),
}) satisfies z.ZodType<ModelPolicy>;

const tool = z.object({
  name: z.string(),
  type: z.enum(["builtin", "mcp", "agent", "webhook", "client", "rag"]),
  description: z.string().nullable(),
  parameters: jsonObject.nullable(),
  config: jsonObject,
  effect: z.enum(["read", "idempotent", "once"]).nullable(),
  approval: z.enum(["never", "ask"]),
  timeoutMs: z.number().nullable(),
  rateLimit: z.object({ windowMs: z.number(), maxCalls: z.number() }).nullable(),
});

const conversational = z.object({
  backend: z.enum(["sqlite", "postgres", "redis"]),
  strategy: z.enum(["sliding_window", "summary", "token_budget"]),
  maxTurns: z.number(),
  tokenBudget: z.number(),
  ttlMs: z.number().nullable(),
});

const guardrail = z.object({ type: z.string(), action: z.string().nullable(), config: jsonObject });

const definition = z.object({
  name: z.string(),
  version: z.string(),
  namespace: z.string(),
  labels,
  identity: z.object({ displayName: z.string(), description: z.string(), avatar: z.string().nullable() }),
  model: z.object({ default: policy, roles: z.record(z.string(), policy) }),
  prompts: z.object({ system: z.string(), templates: labels }),
  orchestration: z.object({
    pattern: z.enum(PATTERNS),
    maxIterations: z.number(),
    timeoutMs: z.number().nullable(),
    roleMap: labels,
    options: jsonObject,
  }),
  tools: z.array(tool),
  memory: z.object({
    conversational: conversational.nullable(),
    episodic: jsonObject.nullable(),
    semantic: jsonObject.nullable(),
  }),
  guardrails: z.object({ input: z.array(guardrail), output: z.array(guardrail) }),
  permissions: z.object({ allowedActions: texts.nullable() }),
  knowledge: z.object({ pipeline: z.string(), topK: z.number() }).nullable(),
  outputSchema: jsonObject.nullable(),
  schedules: z.array(
    z.object({ name: z.string(), cron: z.string(), timezone: z.string().nullable(), query: z.string() }),
  ),
  channels: z.array(z.object({ type: z.string(), config: jsonObject })),
  budget: z.object({ maxTokens: z.number().nullable(), maxCostUsd: z.number().nullable() }),
  execution: z.object({ targetTags: texts }),
}) satisfies z.ZodType<AgentDefinition>;

/** An agent as a node has it loaded. */
export const peerAgent = z.object({
  digest: z.string(),
  definition,
  source: z.enum(["file", "api", "builtin"]),
  file: z.string().nullable(),
  notices: texts,
}) satisfies z.ZodType<LoadedAgent>;

/** The answer of `POST /v1/peer/agents/catalog`. */
export const peerCatalog = z.object({
  agents: z.array(peerAgent),
  rejected: z.array(z.object({ name: z.string(), file: z.string(), errors: texts })) satisfies z.ZodType<
    readonly RejectedAgent[]
  >,
});

/** `POST /v1/peer/agents/put`. */
export const peerAgentPut = z.object({ document: jsonObject, create: z.boolean() });

/** `POST /v1/peer/agents/remove`. */
export const peerAgentName = z.object({ name: z.string() });

const conversationKey = z.object({
  agent: z.string(),
  principalId: z.string(),
  sessionId: z.string(),
}) satisfies z.ZodType<ConversationKey>;

/** `POST /v1/peer/memory/history`. */
export const peerHistoryRequest = z.object({ key: conversationKey, limit: z.number().int().min(1).max(1_000) });

/** `POST /v1/peer/memory/clear`. */
export const peerClearRequest = z.object({ key: conversationKey });

/** A session's turns. */
export const peerHistory = z.object({
  turns: z.array(z.object({ runId: z.string(), at: z.number(), messages: z.array(peerMessage) })) satisfies z.ZodType<
    readonly ConversationTurn[]
  >,
});

/** What a clearing says. */
export const peerCleared = z.object({ cleared: z.number() });

/** A catalog between nodes. */
export function catalogToPeer(catalog: Catalog): z.infer<typeof peerCatalog> {
  const agents = [...catalog.agents.values()].map(loadedAgentToPeer);
  const rejected = catalog.rejected.map(({ name, file, errors }) => ({ name, file, errors: [...errors] }));
  return { agents, rejected };
}

/** A loaded agent between nodes: what looks like a secret is hidden. */
export function loadedAgentToPeer(agent: LoadedAgent): z.infer<typeof peerAgent> {
  const { digest, source, file, notices } = agent;
  return { digest, source, file, notices: [...notices], definition: hideSecrets(agent.definition) };
}

function hideSecrets(given: AgentDefinition): z.infer<typeof definition> {
  const { model, tools, guardrails, channels, memory } = given;
  const configured = <T extends { readonly config: JsonObject }>(items: readonly T[]): T[] =>
    items.map((item) => ({ ...item, config: hidden(item.config) }));
  const parsed: unknown = {
    ...given,
    model: {
      default: withoutKeys(model.default),
      roles: Object.fromEntries(Object.entries(model.roles).map(([role, policy]) => [role, withoutKeys(policy)])),
    },
    tools: configured(tools),
    guardrails: { input: configured(guardrails.input), output: configured(guardrails.output) },
    channels: configured(channels),
    memory: {
      ...memory,
      episodic: memory.episodic === null ? null : hidden(memory.episodic),
      semantic: memory.semantic === null ? null : hidden(memory.semantic),
    },
  };
  return parsed as z.infer<typeof definition>;
}

const hidden = (config: JsonObject): JsonObject => redact(config) as JsonObject;

/** Where in a file a key stands is nobody's business; that there is one is. */
function withoutKeys({ candidates, strategy }: ModelPolicy): ModelPolicy {
  return {
    strategy,
    candidates: candidates.map((candidate) => ({
      ...candidate,
      endpoint: candidate.endpoint === null ? null : redactText(candidate.endpoint),
      apiKey: candidate.apiKey?.from === "file" ? { from: "file", owner: "", path: [] } : candidate.apiKey,
      parameters: hidden(candidate.parameters),
    })),
  };
}
