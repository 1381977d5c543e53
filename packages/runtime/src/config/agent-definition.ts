import type { AgentDefinition, AgentMemory, Guardrail, RoutingStrategy, ToolEntry } from "../core/index.ts";
import { toModelPolicies } from "./agent-model.ts";
import type { AgentFile, AgentSpec } from "./agent-schema.ts";
import type { AgentDefaults } from "./node-config.ts";
import { durationMs } from "./schema-parts.ts";
import type { LiteralSecret } from "./secrets.ts";

/** What a definition takes from its node. */
export interface DefinitionOptions {
  readonly defaults: AgentDefaults;
  readonly defaultStrategy: RoutingStrategy;
}

/** A valid agent file as the definition that runs are pinned to. */
export function toDefinition(
  file: AgentFile,
  options: DefinitionOptions,
): { readonly definition: AgentDefinition; readonly secrets: readonly LiteralSecret[] } {
  const { metadata, spec } = file;
  const model = toModelPolicies(spec.model, { ...options, owner: `agent:${metadata.name}` });
  const definition: AgentDefinition = {
    name: metadata.name,
    version: metadata.version,
    namespace: metadata.namespace,
    labels: metadata.labels,
    identity: {
      displayName: spec.identity.display_name ?? metadata.name,
      description: spec.identity.description,
      avatar: spec.identity.avatar ?? null,
    },
    model: { default: model.default, roles: model.roles },
    prompts: spec.prompts,
    orchestration: toOrchestration(spec.orchestration, options.defaults),
    tools: spec.tools.map(toTool),
    memory: toMemory(spec.memory),
    guardrails: { input: spec.guardrails.input.map(toGuardrail), output: spec.guardrails.output.map(toGuardrail) },
    permissions: { allowedActions: spec.permissions.allowed_actions ?? null },
    knowledge: spec.knowledge === undefined ? null : { pipeline: spec.knowledge.pipeline, topK: spec.knowledge.top_k },
    outputSchema: spec.output_schema ?? null,
    schedules: spec.schedules.map((schedule) => ({ ...schedule, timezone: schedule.timezone ?? null })),
    channels: spec.channels,
    budget: { maxTokens: spec.budget.max_tokens ?? null, maxCostUsd: spec.budget.max_cost_usd ?? null },
    execution: { targetTags: spec.execution.target_tags },
  };
  return { definition, secrets: model.secrets };
}

function toOrchestration(given: AgentSpec["orchestration"], defaults: AgentDefaults): AgentDefinition["orchestration"] {
  const timeout = given.timeout ?? given.timeout_seconds;
  return {
    pattern: given.pattern ?? defaults.pattern,
    maxIterations: given.max_iterations ?? defaults.maxIterations,
    timeoutMs: timeout === undefined ? null : durationMs(timeout),
    roleMap: given.role_map,
    options: given.options,
  };
}

function toTool(given: AgentSpec["tools"][number]): ToolEntry {
  const limit = given.rate_limit;
  return {
    name: given.name,
    type: given.type,
    description: given.description ?? null,
    parameters: given.parameters ?? null,
    config: given.config,
    effect: given.effect ?? null,
    approval: given.approval,
    timeoutMs: given.timeout === undefined ? null : durationMs(given.timeout),
    rateLimit:
      limit === undefined
        ? null
        : { windowMs: durationMs(limit.window ?? limit.window_seconds ?? 60), maxCalls: limit.max_calls },
  };
}

function toMemory(given: AgentSpec["memory"]): AgentMemory {
  const { conversational } = given;
  return {
    conversational:
      conversational === undefined
        ? null
        : {
            backend: conversational.backend,
            strategy: conversational.strategy,
            maxTurns: conversational.max_turns,
            tokenBudget: conversational.token_budget,
            ttlMs: conversational.ttl === undefined ? null : durationMs(conversational.ttl),
          },
    episodic: given.episodic ?? null,
    semantic: given.semantic ?? null,
  };
}

function toGuardrail({ type, action, ...config }: AgentSpec["guardrails"]["input"][number]): Guardrail {
  return { type, action: action ?? null, config };
}
