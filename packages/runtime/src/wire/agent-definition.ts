import type {
  AgentDefinition,
  AgentMemory,
  Guardrail,
  Json,
  JsonObject,
  ModelPolicy,
  SecretRef,
  ToolEntry,
} from "../core/index.ts";
import { HIDDEN, redact, redactText } from "./redact.ts";

/** Where a secret comes from; where in a file it stands is nobody's business. */
function secretToWire(secret: SecretRef | null): Json {
  if (secret === null) return null;
  return secret.from === "env" ? { from: "env", name: secret.name } : { from: "file", value: HIDDEN };
}

function policyToWire(policy: ModelPolicy): JsonObject {
  return {
    strategy: policy.strategy,
    candidates: policy.candidates.map((candidate) => ({
      provider: candidate.provider,
      model: candidate.model,
      endpoint: candidate.endpoint === null ? null : redactText(candidate.endpoint),
      api_key: secretToWire(candidate.apiKey),
      timeout_ms: candidate.timeoutMs,
      parameters: redact(candidate.parameters),
    })),
  };
}

function toolToWire(tool: ToolEntry): JsonObject {
  return {
    name: tool.name,
    type: tool.type,
    description: tool.description,
    parameters: tool.parameters,
    config: redact(tool.config),
    effect: tool.effect,
    approval: tool.approval,
    timeout_ms: tool.timeoutMs,
    rate_limit:
      tool.rateLimit === null ? null : { window_ms: tool.rateLimit.windowMs, max_calls: tool.rateLimit.maxCalls },
  };
}

function memoryToWire(memory: AgentMemory): JsonObject {
  const talk = memory.conversational;
  return {
    conversational:
      talk === null
        ? null
        : {
            backend: talk.backend,
            strategy: talk.strategy,
            max_turns: talk.maxTurns,
            token_budget: talk.tokenBudget,
            ttl_ms: talk.ttlMs,
          },
    episodic: memory.episodic === null ? null : redact(memory.episodic),
    semantic: memory.semantic === null ? null : redact(memory.semantic),
  };
}

const guardrailToWire = (guardrail: Guardrail): JsonObject => ({
  type: guardrail.type,
  action: guardrail.action,
  config: redact(guardrail.config),
});

/** A definition on the wire: in the file's words, defaults filled in, secrets hidden. */
export function definitionToWire(definition: AgentDefinition): Record<string, Json> {
  const { orchestration, identity, model, knowledge } = definition;
  return {
    name: definition.name,
    version: definition.version,
    namespace: definition.namespace,
    labels: definition.labels,
    identity: { display_name: identity.displayName, description: identity.description, avatar: identity.avatar },
    model: {
      default: policyToWire(model.default),
      roles: Object.fromEntries(Object.entries(model.roles).map(([role, policy]) => [role, policyToWire(policy)])),
    },
    prompts: definition.prompts,
    orchestration: {
      pattern: orchestration.pattern,
      max_iterations: orchestration.maxIterations,
      timeout_ms: orchestration.timeoutMs,
      role_map: orchestration.roleMap,
      options: orchestration.options,
    },
    tools: definition.tools.map(toolToWire),
    memory: memoryToWire(definition.memory),
    guardrails: {
      input: definition.guardrails.input.map(guardrailToWire),
      output: definition.guardrails.output.map(guardrailToWire),
    },
    permissions: { allowed_actions: definition.permissions.allowedActions },
    knowledge: knowledge === null ? null : { pipeline: knowledge.pipeline, top_k: knowledge.topK },
    output_schema: definition.outputSchema,
    schedules: definition.schedules.map(({ name, cron, timezone, query }) => ({ name, cron, timezone, query })),
    channels: definition.channels.map(({ type, config }) => ({ type, config: redact(config) })),
    budget: { max_tokens: definition.budget.maxTokens, max_cost_usd: definition.budget.maxCostUsd },
    execution: { target_tags: definition.execution.targetTags },
  };
}
