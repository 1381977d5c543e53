import type { JsonObject } from "../core/index.ts";
import type { LoadedAgent } from "../core/ports/index.ts";
import { type AgentContext, checkAgent, digestOf } from "./agent-check.ts";
import { fromJson } from "./located.ts";

/** The name of the agent that is always there, unless a file overrides it. */
export const DEFAULT_AGENT = "default";

/** As a file would write it. It names no model, so it takes whichever the node finds, `offline` at the least. */
const DOCUMENT: JsonObject = {
  apiVersion: "astromesh/v1",
  kind: "Agent",
  metadata: { name: DEFAULT_AGENT },
  spec: {
    identity: { display_name: "Default", description: "Answers with whichever model this node finds." },
    prompts: { system: "You are a helpful assistant. Use the tools for arithmetic and for the time; be brief." },
    tools: [
      { name: "calculator", type: "builtin" },
      { name: "datetime_now", type: "builtin" },
    ],
    memory: { conversational: {} },
  },
};

/** The built-in agent. */
export function defaultAgent(context: AgentContext): LoadedAgent {
  const checked = checkAgent({ file: null, root: fromJson(DOCUMENT) }, context);
  if (checked.definition === null) throw new Error("the built-in agent does not fit its own schema");
  const { definition } = checked;
  return { definition, digest: digestOf(definition), source: "builtin", file: null, notices: [] };
}
