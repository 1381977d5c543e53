import type { AgentDefinition, ToolEntry } from "../../src/core/index.ts";

/** A whole definition for tests; parts given replace the defaults. */
export function agentDefinition(parts: Partial<AgentDefinition> = {}): AgentDefinition {
  const candidate = {
    provider: "scripted",
    model: "fake",
    endpoint: null,
    apiKey: null,
    timeoutMs: 1_000,
    parameters: {},
  };
  return {
    name: "helper",
    version: "1.0.0",
    namespace: "default",
    labels: {},
    identity: { displayName: "Helper", description: "Helps.", avatar: null },
    model: { default: { candidates: [candidate], strategy: "quality_first" }, roles: {} },
    prompts: { system: "You are {{ agent.display_name }}.", templates: {} },
    orchestration: { pattern: "react", maxIterations: 10, timeoutMs: null, roleMap: {}, options: {} },
    tools: [],
    memory: { conversational: null, episodic: null, semantic: null },
    guardrails: { input: [], output: [] },
    permissions: { allowedActions: null },
    knowledge: null,
    outputSchema: null,
    schedules: [],
    channels: [],
    budget: { maxTokens: null, maxCostUsd: null },
    execution: { targetTags: [] },
    ...parts,
  };
}

/** A builtin tool's entry with every default; parts given replace them. */
export function toolEntry(name: string, parts: Partial<ToolEntry> = {}): ToolEntry {
  return {
    name,
    type: "builtin",
    description: null,
    parameters: null,
    config: {},
    effect: null,
    approval: "never",
    timeoutMs: null,
    rateLimit: null,
    ...parts,
  };
}
