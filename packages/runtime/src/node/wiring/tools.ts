import { join } from "node:path";

import type { Templates } from "../../agents/index.ts";
import { expandSecrets } from "../../config/index.ts";
import type { Variables } from "../../config/index.ts";
import { AstromeshError } from "../../core/index.ts";
import type { Clock, Ids } from "../../core/index.ts";
import type { CacheStore, CatalogSource } from "../../core/ports/index.ts";
import type { ToolExecutor } from "../../doors/index.ts";
import { createEgress } from "../../net/index.ts";
import { createTools } from "../../tools/index.ts";
import type { Tools } from "../../tools/index.ts";

/** The tools of a node. */
export interface NodeTools {
  readonly tools: Tools;
  stop(): Promise<void>;
}

/** Puts the tools together. */
export function createNodeTools(deps: {
  readonly env: Variables;
  readonly cache: CacheStore;
  readonly templates: Templates;
  readonly dataDir: string;
  readonly clock: Clock;
}): NodeTools {
  const egress = createEgress();
  const tools = createTools({
    clock: deps.clock,
    egress,
    cache: deps.cache,
    expand: (config) => expandSecrets(config, deps.env),
    render: (template, data) =>
      deps.templates.render({ templates: { main: template }, entry: "main", variables: { data } }),
    filesDir: join(deps.dataDir, "files"),
  });
  return { tools, stop: () => egress.stop() };
}

/** Runs a tool for a door, outside any run: an agent's, with its settings, or a builtin one with default settings. */
export function createToolExecutor(deps: {
  readonly tools: Tools;
  readonly catalog: CatalogSource;
  readonly ids: Ids;
}): ToolExecutor {
  return {
    async execute({ name, arguments: args, agent }, principal, signal) {
      const callId = deps.ids.make("call");
      const scope = {
        agent: agent ?? "",
        runId: callId,
        sessionId: callId,
        principalId: principal.id,
        idempotencyKey: callId,
        traceparent: null,
        signal,
      };
      if (agent === null) return deps.tools.call(name, args, scope);
      const loaded = deps.catalog.current().agents.get(agent);
      if (loaded === undefined) throw new AstromeshError("agent_not_found", `no agent named ${agent} is loaded`);
      const tool = deps.tools.forAgent(loaded.definition).get(name);
      if (tool === undefined) throw new AstromeshError("tool_not_found", `the agent ${agent} has no tool ${name}`);
      const wrong = tool.invalid(args);
      if (wrong !== null) throw new AstromeshError("tool_invalid_arguments", wrong);
      return tool.execute(args, { ...scope, signal: AbortSignal.any([signal, AbortSignal.timeout(tool.timeoutMs)]) });
    },
  };
}
