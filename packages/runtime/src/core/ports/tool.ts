import type { AgentDefinition, ToolSource } from "../agent.ts";
import type { EffectClass } from "../effect.ts";
import type { ErrorCode } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import type { ToolSpec } from "./model.ts";

/** What a tool is told about the call. */
export interface ToolScope {
  readonly agent: string;
  readonly runId: string;
  readonly sessionId: string;
  readonly principalId: string;
  /** The same for every repetition of this call; HTTP tools send it as `Idempotency-Key`. */
  readonly idempotencyKey: string;
  readonly traceparent: string | null;
  /** Aborts when the run is cancelled, loses its lease, or the tool's time is over. */
  readonly signal: AbortSignal;
}

/** How a tool ended. A failure goes to the model as an observation. */
export type ToolOutcome =
  | { readonly ok: true; readonly data: Json }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/**
 * A tool with its settings from the agent's entry.
 *
 * Contract. `execute` gets arguments that fit `spec.parameters` and returns failures as outcomes; what it throws is
 * treated as `tool_failed`. It honours `scope.signal`.
 */
export interface Tool {
  readonly spec: ToolSpec;
  readonly source: ToolSource;
  /** The class shown in lists: the strongest that any arguments can have. */
  readonly effect: EffectClass;
  readonly approval: "never" | "ask";
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** The class of this very call, such as `read` for an HTTP GET. */
  effectOf(args: JsonObject): EffectClass;
  /** Validates arguments against the schema; null when they fit, else what is wrong, for the model to mend. */
  invalid(args: JsonObject): string | null;
  execute(args: JsonObject, scope: ToolScope): Promise<ToolOutcome>;
  /** A key wider than the run: the same arguments within the window are the same effect. Absent: none. */
  readonly effectKeyWindowMs?: number;
  /** After a crash hid the outcome of a `once` call: what became of it, or `unknown`. Absent: cannot tell. */
  reconcile?(args: JsonObject, scope: ToolScope): Promise<ToolOutcome | "unknown">;
}

/** A tool that can be listed without an agent. */
export interface ToolListing {
  readonly name: string;
  readonly source: ToolSource;
  readonly description: string;
  readonly effect: EffectClass;
  readonly parameters: JsonObject;
}

/** Gives the tools of an agent. */
export interface ToolRegistry {
  /** The definition's tools, by name. An entry that cannot be offered is left out and reported at load. */
  forAgent(definition: AgentDefinition): ReadonlyMap<string, Tool>;
  builtin(): readonly ToolListing[];
}
