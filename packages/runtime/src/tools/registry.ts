import { AstromeshError, canonicalJson } from "../core/index.ts";
import type { AgentDefinition, Clock, Json, JsonObject, ToolEntry } from "../core/index.ts";
import type { Tool, ToolListing, ToolOutcome, ToolRegistry, ToolScope } from "../core/ports/index.ts";
import { bindTool } from "./bind.ts";
import type { BindDeps } from "./bind.ts";
import { builtinTools, webhookTool } from "./builtin/index.ts";
import type { BuiltinDeps } from "./builtin/index.ts";
import type { ToolKind } from "./tool-kind.ts";

/** What the tools need. */
export type ToolsDeps = BuiltinDeps & BindDeps;

/** An entry of a definition that cannot be offered. */
export interface ToolFault {
  /** Its place in the definition's `tools`. */
  readonly index: number;
  /** A sentence that begins with the tool's name. */
  readonly message: string;
}

/** The node's tools. */
export interface Tools extends ToolRegistry {
  /** The entries of a definition that `forAgent` leaves out, for the report at load. */
  faults(definition: AgentDefinition): readonly ToolFault[];
  /**
   * Runs a builtin tool outside of a run, with default settings. Failures are outcomes, a wrong name
   * (`tool_not_found`) and wrong arguments (`tool_invalid_arguments`) among them. The tool's time limit applies.
   */
  call(name: string, args: JsonObject, scope: ToolScope): Promise<ToolOutcome>;
}

interface Bound {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly faults: readonly ToolFault[];
}

/** Definitions whose tools are kept bound; the oldest go first. More than the agents of a busy node. */
const MAX_BOUND = 500;

/** Makes the tools of a node. */
export function createTools(deps: ToolsDeps): Tools {
  const kinds = new Map(builtinTools(deps).map((kind) => [kind.name, kind]));
  const bound = new Map<string, Bound>();
  /** Definitions are immutable, so each object's key is made once: every run asks for its tools. */
  const keys = new WeakMap<AgentDefinition, string>();

  const keyOf = (definition: AgentDefinition): string => {
    const known = keys.get(definition);
    if (known !== undefined) return known;
    const key = canonicalJson([definition.name, definition.tools, definition.permissions] as unknown as Json);
    keys.set(definition, key);
    return key;
  };

  /** Bound once for each agent and set of entries, so that the runs of an agent share its rate limits. */
  const boundFor = (definition: AgentDefinition): Bound => {
    const key = keyOf(definition);
    const found = bound.get(key) ?? bindAll(deps, kinds, definition);
    bound.delete(key);
    bound.set(key, found);
    const [oldest] = bound.keys();
    if (bound.size > MAX_BOUND && oldest !== undefined) bound.delete(oldest);
    return found;
  };

  const builtin = new Map<string, Tool>();

  /** Bound when it is first asked for: compiling all their schemas would be a fifth of a node's start. */
  const builtinOf = (kind: ToolKind): Tool => {
    const tool = builtin.get(kind.name) ?? bindDefault(deps, kind);
    builtin.set(kind.name, tool);
    return tool;
  };

  return {
    forAgent: (definition) => boundFor(definition).tools,
    faults: (definition) => boundFor(definition).faults,
    builtin: () => [...kinds.values()].map((kind) => listing(builtinOf(kind))),
    call: async (name, args, scope) => {
      const kind = kinds.get(name);
      if (kind === undefined)
        return { ok: false, code: "tool_not_found", message: `there is no builtin tool "${name}"` };
      const tool = builtinOf(kind);
      const invalid = tool.invalid(args);
      if (invalid !== null) return { ok: false, code: "tool_invalid_arguments", message: invalid };
      return withinTime(deps.clock, tool, args, scope);
    },
  };
}

function bindAll(deps: ToolsDeps, kinds: ReadonlyMap<string, ToolKind>, definition: AgentDefinition): Bound {
  const tools = new Map<string, Tool>();
  const faults: ToolFault[] = [];
  const { allowedActions } = definition.permissions;
  definition.tools.forEach((entry, index) => {
    const fault = (why: string): void => void faults.push({ index, message: `tool "${entry.name}": ${why}` });
    if (tools.has(entry.name)) return fault("another tool of this agent has the same name");
    if (allowedActions !== null && !allowedActions.includes(entry.name))
      return fault("`permissions.allowed_actions` leaves it out");
    const kind = kindOf(deps, kinds, entry);
    if (typeof kind === "string") return fault(kind);
    const result = bindTool(deps, kind, entry);
    if ("fault" in result) return fault(result.fault);
    tools.set(entry.name, result.tool);
  });
  return { tools, faults };
}

/** The kind of tool that an entry asks for, or why there is none. */
function kindOf(deps: ToolsDeps, kinds: ReadonlyMap<string, ToolKind>, entry: ToolEntry): ToolKind | string {
  if (entry.type === "webhook") return webhookTool(deps.egress, deps.clock, entry.name);
  if (entry.type !== "builtin") return `tools of type ${entry.type} are not in this release; it is not offered`;
  return kinds.get(entry.name) ?? `there is no such builtin tool; there are ${[...kinds.keys()].join(", ")}`;
}

function bindDefault(deps: ToolsDeps, kind: ToolKind): Tool {
  const entry: ToolEntry = {
    name: kind.name,
    type: "builtin",
    description: null,
    parameters: null,
    config: {},
    effect: null,
    approval: "never",
    timeoutMs: null,
    rateLimit: null,
  };
  const result = bindTool(deps, kind, entry);
  if ("fault" in result) throw new AstromeshError("internal", `the builtin tool ${kind.name}: ${result.fault}`);
  return result.tool;
}

function listing({ spec, source, effect }: Tool): ToolListing {
  return { name: spec.name, source, description: spec.description, effect, parameters: spec.parameters };
}

async function withinTime(clock: Clock, tool: Tool, args: JsonObject, scope: ToolScope): Promise<ToolOutcome> {
  const over = new AbortController();
  const done = new AbortController();
  const timer = clock.sleep(tool.timeoutMs, done.signal).then(
    () => over.abort(),
    () => {},
  );
  try {
    return await tool.execute(args, { ...scope, signal: AbortSignal.any([scope.signal, over.signal]) });
  } catch (thrown) {
    if (!over.signal.aborted) throw thrown;
    return { ok: false, code: "tool_timeout", message: `${tool.spec.name} took longer than ${tool.timeoutMs} ms` };
  } finally {
    done.abort();
    await timer;
  }
}
