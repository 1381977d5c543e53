import type { AgentDefinition } from "../agent.ts";
import type { JsonObject } from "../json.ts";
import type { LoadedAgent } from "./catalog.ts";

/** What validation of a definition found. */
export interface AgentCheck {
  /** Null when it is not valid. */
  readonly definition: AgentDefinition | null;
  /** Where and what, such as `spec.model.primary.provider: unknown provider "olama"; did you mean "ollama"?`. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  /** What is valid but has no effect in this release. */
  readonly notices: readonly string[];
}

/** Changes agents that are kept in the store. */
export interface AgentAdmin {
  /** Checks a document (`kind: Agent`) without keeping it. */
  check(document: JsonObject): AgentCheck;
  /**
   * Keeps a definition. Rejects with `agent_invalid`, `agent_read_only` (a file of that name wins), or
   * `invalid_request` when `create` is set and the name is taken.
   */
  put(document: JsonObject, options: { readonly create: boolean }): Promise<LoadedAgent>;
  /** Rejects with `agent_not_found` or `agent_read_only`. */
  remove(name: string): Promise<void>;
}
