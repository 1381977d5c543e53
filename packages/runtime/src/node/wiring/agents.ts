import { createAgentRegistry, createContextBuilder, createTemplates } from "../../agents/index.ts";
import type { AgentRegistry, Templates } from "../../agents/index.ts";
import type { Clock } from "../../core/index.ts";
import type { ContextBuilder, SessionMemory, ToolRegistry } from "../../core/ports/index.ts";

/** The agents of a node and what builds their prompts. */
export interface NodeAgents {
  readonly registry: AgentRegistry;
  /** One thread for every template of the node. */
  readonly templates: Templates;
}

/** Makes an empty catalog and the template engine. */
export function createNodeAgents(clock: Clock): NodeAgents {
  return { registry: createAgentRegistry(), templates: createTemplates({ clock }) };
}

/** Builds prompts with the tools that an agent really has. */
export function createNodeContextBuilder(deps: {
  readonly templates: Templates;
  readonly memory: SessionMemory;
  readonly tools: ToolRegistry;
  readonly clock: Clock;
}): ContextBuilder {
  const { templates, memory, tools, clock } = deps;
  return createContextBuilder({
    templates,
    memory,
    clock,
    toolsOf: (definition) => [...tools.forAgent(definition).values()].map(({ spec }) => spec),
  });
}
