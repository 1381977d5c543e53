import { AstromeshError, createIds } from "../../src/core/index.ts";
import type { AgentDefinition, Clock, JsonObject, RejectedAgent } from "../../src/core/index.ts";
import type {
  AgentAdmin,
  CatalogSource,
  ConversationTurn,
  LoadedAgent,
  Logger,
  LogLine,
  NodeAdmin,
  SessionMemory,
  Tool,
  ToolListing,
  ToolRegistry,
} from "../../src/core/ports/index.ts";
import { createDrain } from "../../src/doors/index.ts";
import type { RestDeps } from "../../src/doors/index.ts";
import { agentDefinition } from "./agent-definition.ts";
import { createFakeRuns } from "./fake-runs.ts";
import type { FakeRuns } from "./fake-runs.ts";

/** A loaded agent for tests. */
export function loadedAgent(definition: AgentDefinition, parts: Partial<LoadedAgent> = {}): LoadedAgent {
  return {
    definition,
    digest: `digest-${definition.name}`,
    source: "file",
    file: `agents/${definition.name}.agent.yaml`,
    notices: [],
    ...parts,
  };
}

/** Agents in memory; a document is valid when `metadata.name` is a text. */
export interface FakeAgents extends AgentAdmin, CatalogSource {
  add(agent: LoadedAgent): void;
  reject(agent: RejectedAgent): void;
}

function createFakeAgents(): FakeAgents {
  const agents = new Map<string, LoadedAgent>();
  const rejected: RejectedAgent[] = [];
  let generation = 1;
  const nameOf = (document: JsonObject): string | null => {
    const metadata = document["metadata"] as JsonObject | undefined;
    const name = metadata?.["name"];
    return typeof name === "string" ? name : null;
  };
  const check: AgentAdmin["check"] = (document) => {
    const name = nameOf(document);
    if (name !== null)
      return { definition: agentDefinition({ name }), errors: [], notices: ["spec.knowledge has no effect yet"] };
    return { definition: null, errors: [{ path: "metadata.name", message: "is missing" }], notices: [] };
  };
  return {
    add: (agent) => void agents.set(agent.definition.name, agent),
    reject: (agent) => void rejected.push(agent),
    current: () => ({ generation, agents: new Map(agents), rejected: [...rejected] }),
    check,
    put: async (document, { create }) => {
      const { definition, errors } = check(document);
      if (definition === null) {
        throw new AstromeshError("agent_invalid", "the agent is not valid", {
          details: { errors: errors.map((error) => ({ ...error })) },
        });
      }
      const before = agents.get(definition.name);
      if (before?.source === "file")
        throw new AstromeshError("agent_read_only", `${definition.name} is defined by a file`);
      if (before !== undefined && create)
        throw new AstromeshError("invalid_request", `there is an agent ${definition.name}`);
      const loaded = loadedAgent(definition, { source: "api", file: null });
      agents.set(definition.name, loaded);
      generation += 1;
      return loaded;
    },
    remove: async (name) => {
      const agent = agents.get(name);
      if (agent === undefined) throw new AstromeshError("agent_not_found", `no agent named ${name}`);
      if (agent.source === "file") throw new AstromeshError("agent_read_only", `${name} is defined by a file`);
      agents.delete(name);
    },
  };
}

/** A node whose answers the test sets. */
export interface FakeNodeAdmin extends NodeAdmin {
  missing: readonly string[];
  reloadErrors: readonly string[];
  reloadApplied: boolean;
  lines: LogLine[];
}

function createFakeNodeAdmin(): FakeNodeAdmin {
  return {
    missing: [],
    reloadErrors: [],
    reloadApplied: true,
    lines: [],
    async status() {
      return {
        version: "1.2.3",
        node: { nodeId: "node_1", name: "here", boot: 1 },
        role: "full",
        mode: "dev",
        pid: 1,
        uptimeSeconds: 5,
        services: {
          api: true,
          agents: true,
          inference: true,
          memory: true,
          tools: true,
          channels: false,
          rag: false,
          observability: true,
        },
        agentsLoaded: 1,
        agentsRejected: 0,
        engine: "journal",
        store: { kind: "sqlite", ready: true, reason: null },
        runs: { queued: 0, running: 0, waiting: 0, completed: 0, failed: 0, cancelled: 0 },
        draining: false,
        peers: [],
        mesh: null,
      };
    },
    doctor: async () => [{ name: "store", status: "ok", message: "sqlite answers" }],
    unready() {
      return this.missing;
    },
    async reload() {
      return { generation: 2, agents: 1, errors: this.reloadErrors, applied: this.reloadApplied };
    },
    config: () => [{ path: "api.port", value: 8000, origin: "default" }],
    providers: async () => [
      {
        name: "scripted",
        type: "scripted",
        endpoint: null,
        ok: true,
        message: "answers",
        models: ["fake"],
        breaker: "closed",
      },
    ],
    async *logs(backlog, signal) {
      yield* this.lines.slice(-backlog);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
    metrics: async () => "# TYPE astromesh_up gauge\nastromesh_up 1\n",
  };
}

/** Session memory in a map. */
export interface FakeMemory extends SessionMemory {
  keep(agent: string, principalId: string, sessionId: string, turn: ConversationTurn): void;
}

function createFakeMemory(): FakeMemory {
  const turns = new Map<string, ConversationTurn[]>();
  const idOf = (...parts: string[]): string => JSON.stringify(parts);
  return {
    keep(agent, principalId, sessionId, turn) {
      const id = idOf(agent, principalId, sessionId);
      turns.set(id, [...(turns.get(id) ?? []), turn]);
    },
    recall: async () => [],
    kept: () => null,
    history: async (key, limit) => (turns.get(idOf(key.agent, key.principalId, key.sessionId)) ?? []).slice(-limit),
    clear: async (key) => {
      const id = idOf(key.agent, key.principalId, key.sessionId);
      const count = turns.get(id)?.length ?? 0;
      turns.delete(id);
      return count;
    },
  };
}

const CALCULATOR: ToolListing = {
  name: "calculator",
  source: "builtin",
  description: "Adds up",
  effect: "read",
  parameters: { type: "object" },
};

function createFakeTools(): ToolRegistry {
  const toolOf = (name: string): Tool => ({
    spec: { name, description: "Does it", parameters: { type: "object" } },
    source: name === "calculator" ? "builtin" : "webhook",
    effect: "once",
    approval: "never",
    timeoutMs: 1_000,
    effectOf: () => "once",
    invalid: () => null,
    execute: async () => ({ ok: true, data: null }),
  });
  return {
    forAgent: (definition) => new Map(definition.tools.map(({ name }) => [name, toolOf(name)])),
    builtin: () => [CALCULATOR],
  };
}

/** A log that can be read. */
export interface MemoryLogger extends Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: Record<string, unknown> }[];
}

function createMemoryLogger(): MemoryLogger {
  const lines: MemoryLogger["lines"] = [];
  const at =
    (level: string): Logger["info"] =>
    (message, fields = {}) =>
      void lines.push({ level, message, fields });
  const logger: MemoryLogger = {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}

/** Everything a REST door is built over, faked. */
export interface FakeNode extends RestDeps {
  readonly runs: FakeRuns;
  readonly catalog: FakeAgents;
  readonly agents: FakeAgents;
  readonly node: FakeNodeAdmin;
  readonly memory: FakeMemory;
  readonly logger: MemoryLogger;
}

/** Makes the ports of a node that has the agents `helper` (no tools) and `worker` (a calculator and a webhook). */
export function createFakeNode(deps: { readonly clock: Clock; readonly auth: RestDeps["auth"] }): FakeNode {
  const agents = createFakeAgents();
  agents.add(loadedAgent(agentDefinition()));
  return {
    runs: createFakeRuns(deps),
    catalog: agents,
    agents,
    node: createFakeNodeAdmin(),
    tools: createFakeTools(),
    executor: {
      execute: async (call) => {
        if (call.name === "calculator") return { ok: true, data: { sum: 3 } };
        if (call.name === "broken") return { ok: false, code: "tool_failed", message: "it broke" };
        throw new AstromeshError("tool_not_found", `no tool ${call.name}`);
      },
    },
    memory: createFakeMemory(),
    auth: deps.auth,
    limits: null,
    drain: createDrain(),
    clock: deps.clock,
    ids: createIds(() => deps.clock.now(), Math.random),
    logger: createMemoryLogger(),
  };
}
