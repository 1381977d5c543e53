/**
 * The agents of this node: from files, from the API, and built in.
 *
 * A1: a catalog is immutable; every change makes another of the next generation. A run keeps the definition that it
 *     began with, so a change never reaches a run that goes on.
 * A2: of agents with one name, a file's wins over the API's, and the API's over the built-in one.
 * A3: a file that no longer loads is listed as rejected, and the agent that it last gave stays.
 */
import type { RejectedAgent } from "../core/index.ts";
import type { Catalog, CatalogSource, LoadedAgent } from "../core/ports/index.ts";

/** The files' agents, as one reading of the agents directory found them. */
export interface FileAgents {
  /** From files, and those built in that no file stands in for. */
  readonly agents: readonly LoadedAgent[];
  readonly rejected: readonly RejectedAgent[];
}

/** Holds the catalog and swaps it. */
export interface AgentRegistry extends CatalogSource {
  /** Replaces what came from files, at start and at reload. */
  loadFiles(files: FileAgents): Catalog;
  /** Replaces what came by the API, at start and after each change of the store. */
  loadApi(agents: readonly LoadedAgent[]): Catalog;
}

/** Makes a registry that is empty. */
export function createAgentRegistry(): AgentRegistry {
  let files: FileAgents = { agents: [], rejected: [] };
  let api: readonly LoadedAgent[] = [];
  let catalog: Catalog = { generation: 0, agents: new Map(), rejected: [] };

  const swap = (): Catalog => {
    const builtin = files.agents.filter((agent) => agent.source === "builtin");
    const own = files.agents.filter((agent) => agent.source === "file");
    const agents = byName([...builtin, ...api, ...own]);
    catalog = { generation: catalog.generation + 1, agents, rejected: files.rejected };
    return catalog;
  };

  return {
    current: () => catalog,
    loadFiles: (read) => {
      files = withLastGood(read, files.agents);
      return swap();
    },
    loadApi: (agents) => {
      api = agents;
      return swap();
    },
  };
}

/** The later of two agents with one name wins; sorted by name. */
function byName(agents: readonly LoadedAgent[]): ReadonlyMap<string, LoadedAgent> {
  const map = new Map(agents.map((agent) => [agent.definition.name, agent]));
  return new Map([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function withLastGood(read: FileAgents, before: readonly LoadedAgent[]): FileAgents {
  const broken = new Set(read.rejected.map((rejected) => rejected.file));
  const names = new Set(read.agents.map((agent) => agent.definition.name));
  const kept = before.filter(
    (agent) => agent.file !== null && broken.has(agent.file) && !names.has(agent.definition.name),
  );
  return { agents: [...read.agents, ...kept], rejected: read.rejected };
}
