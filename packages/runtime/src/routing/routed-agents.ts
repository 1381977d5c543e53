/**
 * Agents over all nodes: the list covers every node that runs agents, and a change reaches each of them.
 */
import { AstromeshError } from "../core/index.ts";
import type { Principal, RejectedAgent } from "../core/index.ts";
import type { AgentAdmin, Catalog, CatalogSource, LoadedAgent, Logger, Peer } from "../core/ports/index.ts";
import { peerAgent, peerAgentName, peerCatalog } from "../wire/index.ts";
import type { PeerCalls, PeerResult } from "./peer-calls.ts";
import type { Router } from "./router.ts";
import { noService } from "./submit.ts";

/** Agents of all nodes. */
export interface RoutedAgents {
  readonly catalog: CatalogSource;
  readonly admin: AgentAdmin;
  /** Fetches the catalogs of peers whose digest has changed, whenever the view does. Ends what it began at abort. */
  readonly follow: (signal: AbortSignal) => Promise<void>;
}

/** What they work with. */
export interface RoutedAgentsDeps {
  readonly local: { readonly catalog: CatalogSource; readonly admin: AgentAdmin };
  readonly router: Router;
  readonly calls: PeerCalls;
  readonly logger: Logger;
}

/** What a peer has loaded, as of a digest. */
interface Fetched {
  readonly digest: string | null;
  readonly agents: readonly LoadedAgent[];
  readonly rejected: readonly RejectedAgent[];
}

/** Doors have checked the caller's scope before they change agents; nodes check that the sender may say so. */
const ADMIN: Principal = { id: "local", scopes: ["admin"] };

/** Makes them. */
export function createRoutedAgents(deps: RoutedAgentsDeps): RoutedAgents {
  const { local, router, calls, logger } = deps;
  const fetched = new Map<string, Fetched>();
  let merged: { readonly of: Catalog; readonly catalog: Catalog } | null = null;
  let changes = 0;

  const ask = <T>(peer: Peer, path: string, body: object, schema: { parse(value: unknown): T }) =>
    calls.ask(peer, { ...REQUEST, path: `/v1/peer/agents/${path}`, body }, schema);

  const fetch = async (peer: Peer): Promise<void> => {
    const result = await ask(peer, "catalog", {}, peerCatalog);
    if (!result.ok) {
      logger.debug("a peer's agents could not be read", { peer: peer.name, error: result.error.message });
      return;
    }
    fetched.set(peer.key, { digest: peer.catalogDigest, ...result.value });
    changes += 1;
    merged = null;
  };
  const refresh = async (): Promise<void> => {
    const peers = router.holders("agents", []);
    const keys = new Set(peers.map(({ key }) => key));
    for (const key of fetched.keys()) {
      if (keys.has(key)) continue;
      fetched.delete(key);
      changes += 1;
      merged = null;
    }
    const stale = peers.filter(({ key, catalogDigest }) => fetched.get(key)?.digest !== catalogDigest);
    await Promise.all(stale.map(fetch));
  };

  return {
    catalog: {
      current() {
        const own = local.catalog.current();
        if (fetched.size === 0) return own;
        if (merged?.of !== own) {
          // Agents in the files of a node that runs none are nobody's.
          const here = router.self.services.includes("agents") ? own : { ...own, agents: new Map(), rejected: [] };
          merged = { of: own, catalog: mergeCatalogs(here, [...fetched.values()], changes) };
        }
        return merged.catalog;
      },
    },
    admin: createAdmin(deps, ask, async (peers) => void (await Promise.all(peers.map(fetch)))),
    async follow(signal) {
      let wake = (): void => {};
      const end = router.view.subscribe(() => wake());
      signal.addEventListener("abort", () => wake(), { once: true });
      try {
        while (!signal.aborted) {
          const changed = new Promise<void>((resolve) => {
            wake = resolve;
          });
          await refresh();
          await changed;
        }
      } finally {
        end();
      }
    },
  };
}

const REQUEST = {
  principal: ADMIN,
  via: [],
  deadlineMs: 10_000,
  traceparent: null,
  signal: new AbortController().signal,
  lane: "agents",
};

/** This node's agents first: of two of one name the nearer is the one that is meant here. */
function mergeCatalogs(own: Catalog, others: readonly Fetched[], changes: number): Catalog {
  const agents = new Map<string, LoadedAgent>();
  for (const list of [[...own.agents.values()], ...others.map((other) => other.agents)]) {
    for (const agent of list) if (!agents.has(agent.definition.name)) agents.set(agent.definition.name, agent);
  }
  const rejected = new Map(
    [...others.flatMap((other) => other.rejected), ...own.rejected].map((one) => [one.file, one]),
  );
  return { generation: own.generation + changes, agents, rejected: [...rejected.values()] };
}

/** Changes reach this node, where it runs agents, and every peer that does. */
function createAdmin(
  { local, router, logger }: RoutedAgentsDeps,
  ask: <T>(peer: Peer, path: string, body: object, schema: { parse(value: unknown): T }) => Promise<PeerResult<T>>,
  reread: (peers: readonly Peer[]) => Promise<void>,
): AgentAdmin {
  const here = router.self.services.includes("agents");
  const targets = (): readonly Peer[] => {
    const peers = router.holders("agents", []).filter(({ status }) => status !== "draining");
    if (peers.length === 0 && !here) throw noService("agents");
    return peers;
  };
  const spread = async <T>(
    peers: readonly Peer[],
    name: string,
    change: (peer: Peer) => Promise<PeerResult<T>>,
  ): Promise<void> => {
    const results = await Promise.all(peers.map(async (peer) => ({ peer, result: await change(peer) })));
    for (const { peer, result } of results) {
      if (result.ok || result.error.code === "agent_not_found") continue;
      logger.warn("a change of an agent did not reach a node", { agent: name, peer: peer.name, error: result.error });
    }
    await reread(peers);
  };

  return {
    check: (document) => local.admin.check(document),
    async put(document, { create }) {
      const [first, ...rest] = targets();
      // One decides (is it valid, is the name free); the others follow.
      const [loaded, others] = here
        ? [await local.admin.put(document, { create }), first === undefined ? [] : [first, ...rest]]
        : [unwrap(await ask(first!, "put", { document, create }, peerAgent)), rest];
      await spread(others, loaded.definition.name, (peer) => ask(peer, "put", { document, create: false }, peerAgent));
      if (!here && first !== undefined) await reread([first]);
      return loaded;
    },
    async remove(name) {
      const peers = targets();
      let removed = false;
      let refusal: AstromeshError | null = null;
      const note = (error: AstromeshError): void => {
        if (refusal === null || error.code !== "agent_not_found") refusal = error;
      };
      if (here) {
        await local.admin.remove(name).then(
          () => (removed = true),
          (error: unknown) => {
            if (!(error instanceof AstromeshError)) throw error;
            note(error);
          },
        );
      }
      await spread(peers, name, async (peer) => {
        const result = await ask(peer, "remove", { name }, peerAgentName);
        if (result.ok) removed = true;
        else note(result.error);
        return result;
      });
      if (!removed && refusal !== null) throw refusal;
    },
  };
}

function unwrap<T>(result: PeerResult<T>): T {
  if (!result.ok) throw result.error;
  return result.value;
}
