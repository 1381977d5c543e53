import { z } from "zod";

import type { RejectedAgent } from "../core/index.ts";
import type { AgentCheck, LoadedAgent } from "../core/ports/index.ts";
import { definitionToWire } from "./agent-definition.ts";
import { fault } from "./error.ts";
import { jsonObject } from "./json.ts";

/** An agent in the list. */
export const agentSummary = z
  .object({
    name: z.string(),
    status: z.enum(["ready", "invalid"]).meta({ description: "`invalid`: its file does not load; see errors" }),
    version: z.string().nullable(),
    namespace: z.string().nullable(),
    display_name: z.string().nullable(),
    description: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    pattern: z.string().nullable(),
    model: z.object({ provider: z.string(), model: z.string() }).nullable().meta({ description: "The first choice" }),
    tools: z.array(z.string()),
    source: z.enum(["file", "api", "builtin"]),
    file: z.string().nullable(),
    digest: z.string().nullable(),
    errors: z
      .array(z.string())
      .meta({ description: "Faults of its file; a ready agent with errors runs as it was before them" }),
    notices: z.array(z.string()).meta({ description: "What is valid but has no effect in this release" }),
  })
  .meta({ id: "AgentSummary" });
/** See `agentSummary`. */
export type AgentSummary = z.infer<typeof agentSummary>;

/** The agents of a node. */
export const agentList = z
  .object({ agents: z.array(agentSummary), count: z.number(), generation: z.number() })
  .meta({ id: "AgentList" });

/** An agent with its whole definition: defaults filled in, secrets hidden. */
export const agentDetail = z.object({ ...agentSummary.shape, definition: jsonObject.nullable() }).meta({ id: "Agent" });
/** See `agentDetail`. */
export type AgentDetail = z.infer<typeof agentDetail>;

/** The body of `POST /v1/agents`, `PUT` and `validate`: a document as an agent file holds it. */
export const agentDocument = jsonObject.meta({
  id: "AgentDocument",
  description: "`apiVersion: astromesh/v1`, `kind: Agent`, `metadata`, `spec`: the agent file as JSON",
});

/** What a check of a definition found. */
export const agentCheck = z
  .object({ valid: z.boolean(), errors: z.array(fault), notices: z.array(z.string()) })
  .meta({ id: "AgentCheck" });

/** What a removal says. */
export const agentRemoved = z.object({ name: z.string(), status: z.literal("removed") }).meta({ id: "AgentRemoved" });

/** A loaded agent in the list; `rejected` is its newer file that does not load, if there is one. */
export function agentToWire(agent: LoadedAgent, rejected?: RejectedAgent): AgentSummary {
  const { definition } = agent;
  const first = definition.model.default.candidates[0];
  return {
    name: definition.name,
    status: "ready",
    version: definition.version,
    namespace: definition.namespace,
    display_name: definition.identity.displayName,
    description: definition.identity.description,
    labels: { ...definition.labels },
    pattern: definition.orchestration.pattern,
    model: first === undefined ? null : { provider: first.provider, model: first.model },
    tools: definition.tools.map((tool) => tool.name),
    source: agent.source,
    file: agent.file,
    digest: agent.digest,
    errors: [...(rejected?.errors ?? [])],
    notices: [...agent.notices],
  };
}

/** An agent whose file does not load, in the list. */
export function rejectedToWire(rejected: RejectedAgent): AgentSummary {
  return {
    name: rejected.name,
    status: "invalid",
    version: null,
    namespace: null,
    display_name: null,
    description: null,
    labels: {},
    pattern: null,
    model: null,
    tools: [],
    source: "file",
    file: rejected.file,
    digest: null,
    errors: [...rejected.errors],
    notices: [],
  };
}

/** A loaded agent with its definition. */
export function agentDetailToWire(agent: LoadedAgent, rejected?: RejectedAgent): AgentDetail {
  return { ...agentToWire(agent, rejected), definition: definitionToWire(agent.definition) };
}

/** A check on the wire. */
export function agentCheckToWire(check: AgentCheck): z.infer<typeof agentCheck> {
  return {
    valid: check.definition !== null && check.errors.length === 0,
    errors: check.errors.map(({ path, message }) => ({ path, message })),
    notices: [...check.notices],
  };
}
