import type { EffectClass } from "./effect.ts";
import type { Json, JsonObject } from "./json.ts";

/** The orchestration patterns. `react` is alive; a definition naming another is parsed and says so at load. */
export const PATTERNS = ["react", "plan_and_execute", "parallel_fan_out", "pipeline", "supervisor", "swarm"] as const;

/** The name of an orchestration pattern. */
export type PatternName = (typeof PATTERNS)[number];

/** How a router orders the candidates of a role. `quality_first` keeps the order of the file. */
export const ROUTING_STRATEGIES = [
  "quality_first",
  "cost_optimized",
  "latency_optimized",
  "round_robin",
  "capability_match",
] as const;

/** The name of a router strategy. */
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number];

/**
 * A value that is never written down: the place to read it from when it is needed. A pinned definition holds
 * these, so that a journal and a database never hold a key.
 */
export type SecretRef =
  | { readonly from: "env"; readonly name: string }
  /** A literal in an agent or provider file: which file's object and the path inside it. */
  | { readonly from: "file"; readonly owner: string; readonly path: readonly (string | number)[] };

/** One model that may answer. */
export interface ModelCandidate {
  /** A provider type (`ollama`, `openai`, ..) or the name of an entry of providers.yaml. */
  readonly provider: string;
  readonly model: string;
  /** The server's base URL; null for the provider's own default. */
  readonly endpoint: string | null;
  readonly apiKey: SecretRef | null;
  /** How long the model may stay silent: until the first token, and between two tokens. Milliseconds. */
  readonly timeoutMs: number;
  /** Sampling parameters in our names: temperature, top_p, max_tokens, stop, seed; others go through as they are. */
  readonly parameters: JsonObject;
}

/** The candidates for a role and how to order them. */
export interface ModelPolicy {
  readonly candidates: readonly ModelCandidate[];
  readonly strategy: RoutingStrategy;
}

/** Where a tool comes from. */
export type ToolSource = "builtin" | "mcp" | "agent" | "webhook" | "client" | "rag";

/** A tool as an agent's file offers it to the model. */
export interface ToolEntry {
  readonly name: string;
  readonly type: ToolSource;
  readonly description: string | null;
  /** JSON Schema of the arguments; null takes the tool's own. */
  readonly parameters: JsonObject | null;
  readonly config: JsonObject;
  /** Overrides the tool's own effect class; null keeps it. */
  readonly effect: EffectClass | null;
  readonly approval: "never" | "ask";
  readonly timeoutMs: number | null;
  readonly rateLimit: { readonly windowMs: number; readonly maxCalls: number } | null;
}

/** How a session's history reaches the model. */
export interface ConversationalMemory {
  readonly backend: "sqlite" | "postgres" | "redis";
  readonly strategy: "sliding_window" | "summary" | "token_budget";
  /** Turns (a query and its answer) kept by `sliding_window`. */
  readonly maxTurns: number;
  readonly tokenBudget: number;
  readonly ttlMs: number | null;
}

/** What an agent remembers. Null parts are off. */
export interface AgentMemory {
  readonly conversational: ConversationalMemory | null;
  readonly episodic: JsonObject | null;
  readonly semantic: JsonObject | null;
}

/** One guardrail with its settings. */
export interface Guardrail {
  readonly type: string;
  readonly action: string | null;
  readonly config: JsonObject;
}

/** A run of the agent that fires by the clock. */
export interface AgentSchedule {
  readonly name: string;
  readonly cron: string;
  readonly timezone: string | null;
  readonly query: string;
}

/** Upper bounds on what one run may use; null parts are unbounded. */
export interface RunBudget {
  readonly maxTokens: number | null;
  readonly maxCostUsd: number | null;
}

/** A whole agent definition, validated, with every default filled in. Immutable. */
export interface AgentDefinition {
  readonly name: string;
  readonly version: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly identity: {
    readonly displayName: string;
    readonly description: string;
    readonly avatar: string | null;
  };
  readonly model: {
    readonly default: ModelPolicy;
    readonly roles: Readonly<Record<string, ModelPolicy>>;
  };
  readonly prompts: {
    /** A template (Jinja's language, sandboxed) of the system prompt. */
    readonly system: string;
    /** Named templates that the others may include. */
    readonly templates: Readonly<Record<string, string>>;
  };
  readonly orchestration: {
    readonly pattern: PatternName;
    readonly maxIterations: number;
    /** The run's own time limit, waiting apart; null takes the node's default. Milliseconds. */
    readonly timeoutMs: number | null;
    /** Pattern role (reasoner, planner, ..) to the name of a model role. */
    readonly roleMap: Readonly<Record<string, string>>;
    /** Anything else that the pattern reads, such as the stages of a pipeline. */
    readonly options: JsonObject;
  };
  readonly tools: readonly ToolEntry[];
  readonly memory: AgentMemory;
  readonly guardrails: { readonly input: readonly Guardrail[]; readonly output: readonly Guardrail[] };
  readonly permissions: { readonly allowedActions: readonly string[] | null };
  readonly knowledge: { readonly pipeline: string; readonly topK: number } | null;
  readonly outputSchema: JsonObject | null;
  readonly schedules: readonly AgentSchedule[];
  readonly channels: readonly { readonly type: string; readonly config: JsonObject }[];
  readonly budget: RunBudget;
  readonly execution: { readonly targetTags: readonly string[] };
}

/** A definition as it is pinned to a run: immutable, named by the digest of its canonical JSON. */
export interface PinnedDefinition {
  readonly digest: string;
  readonly definition: AgentDefinition;
}

/** An agent file that did not load: the node runs without it and lists the reason. */
export interface RejectedAgent {
  readonly name: string;
  readonly file: string;
  /** `file:line:col message`, one for each fault. */
  readonly errors: readonly string[];
}

/** Free values that a template or a tool may read: the request's `context`. */
export type RequestContext = Readonly<Record<string, Json>>;
