import type { AgentDefinition, Clock, JsonObject, Message, Run } from "../core/index.ts";
import type { ContextBuilder, SessionMemory } from "../core/ports/index.ts";
import type { Templates } from "./templates.ts";

/** What the context builder needs. */
export interface ContextBuilderDeps {
  readonly templates: Templates;
  readonly memory: SessionMemory;
  readonly clock: Clock;
  /** The tools that the agent really has, for prompts that list them. */
  readonly toolsOf: (definition: AgentDefinition) => readonly { readonly name: string; readonly description: string }[];
}

const SYSTEM = "system";

/**
 * Builds the opening of a thread: the rendered system prompt, what the session remembers, the query.
 *
 * Templates read `agent` (name, display_name, description, version, labels), `context` (the request's), `session_id`,
 * `run_id`, `now` (ISO 8601, UTC), `date` (its day) and `tools` (name and description of each).
 */
export function createContextBuilder(deps: ContextBuilderDeps): ContextBuilder {
  return {
    build: async ({ definition, run }) => {
      const key = { agent: definition.name, principalId: run.principalId, sessionId: run.sessionId };
      const [system, recalled] = await Promise.all([
        deps.templates.render({
          templates: { ...definition.prompts.templates, [SYSTEM]: definition.prompts.system },
          entry: SYSTEM,
          variables: variables(deps, definition, run),
        }),
        deps.memory.recall(definition, key),
      ]);
      const { query, images } = run.input;
      const messages: Message[] = system.trim() === "" ? [] : [{ role: "system", text: system }];
      messages.push(...recalled);
      messages.push({ role: "user", text: query, ...(images.length > 0 ? { images } : {}) });
      return messages;
    },
  };
}

function variables(deps: ContextBuilderDeps, definition: AgentDefinition, run: Run): JsonObject {
  const now = new Date(deps.clock.now()).toISOString();
  return {
    agent: {
      name: definition.name,
      display_name: definition.identity.displayName,
      description: definition.identity.description,
      version: definition.version,
      labels: definition.labels,
    },
    context: run.input.context,
    session_id: run.sessionId,
    run_id: run.runId,
    now,
    date: now.slice(0, 10),
    tools: deps.toolsOf(definition).map(({ name, description }) => ({ name, description })),
  };
}
