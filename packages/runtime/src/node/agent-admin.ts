import { checkAgentDocument, digestOf } from "../config/index.ts";
import type { AgentContext } from "../config/index.ts";
import { AstromeshError, isJsonObject } from "../core/index.ts";
import type { Clock, Json, JsonObject } from "../core/index.ts";
import type { AgentAdmin, AgentStore, CatalogSource, LoadedAgent, Logger, StoredAgent } from "../core/ports/index.ts";

/** What the API's agents are made of. */
export interface AgentAdminDeps {
  readonly store: AgentStore;
  readonly catalog: CatalogSource;
  /** What documents are checked against, as of now. */
  readonly context: () => AgentContext;
  /** Puts the API's agents, all of them, into the catalog. */
  readonly publish: (agents: readonly LoadedAgent[]) => void;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/** The agents that came by API: kept in the store, published in the catalog. */
export interface StoredAgents extends AgentAdmin {
  /** Reads what is kept and publishes it; again after a reload, since what is valid may have changed. */
  load(): Promise<void>;
}

/** Makes the keeper of the API's agents. Changes are made one at a time, so that none is published over another. */
export function createStoredAgents(deps: AgentAdminDeps): StoredAgents {
  let tail: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work);
    tail = turn.catch(() => undefined);
    return turn;
  };
  const load = async (): Promise<void> => {
    const stored = await deps.store.list();
    deps.publish(stored.flatMap((agent) => fromStore(agent, deps)));
  };

  return {
    load: () => inTurn(load),
    check: (document) => checkAgentDocument(document, deps.context()),
    put: (document, { create }) =>
      inTurn(async () => {
        const { definition, errors } = checkAgentDocument(document, deps.context());
        if (definition === null) throw invalid(errors);
        const { name } = definition;
        refuseFiles(deps.catalog, name);
        if (create && deps.catalog.current().agents.get(name)?.source === "api") {
          throw new AstromeshError("invalid_request", `an agent named ${name} exists already`);
        }
        await deps.store.put({ name, document, updatedAt: deps.clock.now() });
        await load();
        deps.logger.info("agent kept", { agent: name });
        const agent = deps.catalog.current().agents.get(name);
        if (agent === undefined) throw new AstromeshError("internal", `the agent ${name} was kept and not published`);
        return agent;
      }),
    remove: (name) =>
      inTurn(async () => {
        refuseFiles(deps.catalog, name);
        if (!(await deps.store.remove(name))) {
          throw new AstromeshError("agent_not_found", `no agent named ${name} came by API`);
        }
        await load();
        deps.logger.info("agent removed", { agent: name });
      }),
  };
}

function refuseFiles(catalog: CatalogSource, name: string): void {
  const { agents, rejected } = catalog.current();
  const file = agents.get(name)?.file ?? rejected.find((agent) => agent.name === name)?.file ?? null;
  if (file !== null) {
    throw new AstromeshError("agent_read_only", `the agent ${name} is defined by ${file}`, { details: { file } });
  }
}

function invalid(errors: readonly { readonly path: string; readonly message: string }[]): AstromeshError {
  const first = errors[0];
  const message = first === undefined ? "the agent is not valid" : `${first.path}: ${first.message}`;
  const list: Json = errors.map(({ path, message }) => ({ path, message }));
  return new AstromeshError("agent_invalid", message, { details: { errors: list } });
}

/** One that is not valid any more (a provider is gone, the schema moved on) is left out and said so. */
function fromStore(stored: StoredAgent, deps: AgentAdminDeps): LoadedAgent[] {
  const document: JsonObject = isJsonObject(stored.document) ? stored.document : {};
  const { definition, errors, notices } = checkAgentDocument(document, deps.context());
  if (definition === null) {
    deps.logger.warn("a kept agent is not valid any more", { agent: stored.name, errors });
    return [];
  }
  return [{ definition, digest: digestOf(definition), source: "api", file: null, notices }];
}
