/**
 * Finds the node for a request: who is there (PeerView), who fits, who is well (ejection), and of those the best (pick).
 *
 * R1. A request never goes to a node that it came through, and through no more than MAX_HOPS nodes.
 * R2. Suspects are asked only when nobody else is left; draining and dead nodes get nothing new.
 * R3. Nothing is sent to a node whose id is not known: a signed request names its receiver.
 */
import type { Clock, JsonObject, Random, ServiceName } from "../core/index.ts";
import type { OfferedProvider, Peer, PeerStore, PeerView } from "../core/ports/index.ts";
import { createEjection } from "./ejection.ts";
import type { Ejection, EjectionOptions } from "./ejection.ts";
import { createLoads } from "./load.ts";
import type { Loads } from "./load.ts";
import { pick } from "./pick.ts";
import type { Candidate, Pick, PickStrategy } from "./pick.ts";

/** This node, as a candidate among others. */
export interface Self {
  readonly nodeId: string;
  readonly name: string;
  readonly region: string | null;
  readonly tags: readonly string[];
  readonly services: readonly ServiceName[];
  /** Null while the store is not open. */
  readonly store: () => PeerStore | null;
  readonly agents: () => readonly string[];
  readonly providers: () => readonly OfferedProvider[];
  /** Work under way here for a service. */
  readonly depth: (service: ServiceName) => number;
}

/** A model that would do. */
export interface WantedModel {
  readonly provider: string;
  readonly model: string;
}

/** What a request needs. */
export interface Need {
  readonly service: ServiceName;
  /** What latencies are compared: the agent or the model. */
  readonly lane: string;
  readonly agent: string | null;
  /** The node must have all of them. */
  readonly tags: readonly string[];
  /** Any of them will do; empty: no model is needed. */
  readonly models: readonly WantedModel[];
  /** What should stay on one node; null: nothing. */
  readonly affinity: string | null;
  /** Only nodes of this store will do; null: any. */
  readonly storeId: string | null;
  /** Keys that were tried already; this node's is `SELF`. */
  readonly except: ReadonlySet<string>;
  /** Ids of the nodes that the request came through. */
  readonly via: readonly string[];
}

/** Where a request goes: to a peer, or stays here. */
export interface Route {
  readonly key: string;
  readonly name: string;
  /** Null: here. */
  readonly peer: Peer | null;
  readonly why: string;
  readonly explain: JsonObject;
}

/** The router of a node. */
export interface Router {
  readonly self: Self;
  readonly view: PeerView;
  readonly loads: Loads;
  readonly ejection: Ejection;
  /** Null when nobody can serve the request. */
  choose(need: Need): Route | null;
  /** Peers that could hold something of a service: all but the dead, each once. */
  holders(service: ServiceName, via: readonly string[]): readonly Peer[];
}

/** How it chooses. */
export interface RouterOptions {
  readonly strategy: PickStrategy;
  readonly localPreference: boolean;
  readonly ejection: Partial<EjectionOptions>;
}

/** The key of this node among candidates. */
export const SELF = "self";

/** A request passes through at most this many nodes before the one that serves it. */
export const MAX_HOPS = 4;

/** Makes a router over a view. */
export function createRouter(
  deps: { readonly view: PeerView; readonly self: Self; readonly clock: Clock; readonly random: Random },
  options: RouterOptions,
): Router {
  const { view, self, random } = deps;
  const loads = createLoads(deps.clock);
  const ejection = createEjection(deps, options.ejection);
  const turns = new Map<ServiceName, number>();
  view.subscribe(({ peers }) => {
    const keys = new Set(peers.map(({ key }) => key));
    loads.keepOnly(keys);
    ejection.keepOnly(keys);
  });

  const mayPass = (peer: Peer, via: readonly string[]): boolean =>
    peer.nodeId !== null && peer.nodeId !== self.nodeId && via.length < MAX_HOPS && !via.includes(peer.nodeId);

  const choose = (need: Need): Route | null => {
    const peers = view
      .current()
      .peers.filter((peer) => mayPass(peer, need.via) && serves(peer, need) && !need.except.has(peer.key));
    const able: readonly Able[] = fitting([...selfAble(self, need), ...healthy(peers, ejection).map(ableOf)], need);
    const turn = turns.get(need.service) ?? 0;
    turns.set(need.service, turn + 1);
    const { strategy, localPreference } = options;
    const chosen = pick(
      able.map((one) => candidateOf(one, need, loads, self)),
      { strategy, localPreference, region: self.region, affinity: need.affinity, turn, random },
    );
    return chosen === null ? null : routeOf(chosen, able);
  };

  return {
    self,
    view,
    loads,
    ejection,
    choose,
    holders: (service, via) =>
      view
        .current()
        .peers.filter((peer) => peer.status !== "dead" && mayPass(peer, via) && peer.services.includes(service)),
  };
}

/** A node that serves what is needed, this one or a peer. */
interface Able {
  readonly key: string;
  readonly name: string;
  readonly peer: Peer | null;
  readonly region: string | null;
  readonly tags: readonly string[];
  readonly services: readonly ServiceName[];
  readonly agents: readonly string[];
  readonly providers: readonly OfferedProvider[];
}

const ableOf = (peer: Peer): Able => ({ ...peer, peer });

function selfAble(self: Self, need: Need): readonly Able[] {
  const { name, region, tags, services } = self;
  const here = { key: SELF, name, region, tags, services, peer: null };
  const usable =
    services.includes(need.service) &&
    !need.except.has(SELF) &&
    need.tags.every((tag) => tags.includes(tag)) &&
    (need.storeId === null || self.store()?.id === need.storeId);
  return usable ? [{ ...here, agents: self.agents(), providers: self.providers() }] : [];
}

function serves(peer: Peer, need: Need): boolean {
  return (
    (peer.status === "alive" || peer.status === "suspect") &&
    peer.services.includes(need.service) &&
    need.tags.every((tag) => peer.tags.includes(tag)) &&
    (need.storeId === null || peer.store?.id === need.storeId)
  );
}

/** R2. */
function healthy(peers: readonly Peer[], ejection: Ejection): readonly Peer[] {
  const alive = peers.filter(({ status }) => status === "alive");
  const tier = alive.length > 0 ? alive : peers;
  const admitted = new Set(ejection.admitted(tier.map(({ key }) => key)));
  return tier.filter(({ key }) => admitted.has(key));
}

/** Those that have the agent, or offer the model; everybody when nobody says so, since lists may be old or empty. */
function fitting(able: readonly Able[], { agent, models }: Need): readonly Able[] {
  const withAgent = agent === null ? able : able.filter(({ agents }) => agents.includes(agent));
  const pool = withAgent.length > 0 ? withAgent : able;
  for (const offer of [offersModel, offersProvider]) {
    const offering = pool.filter(({ providers }) => models.some((wanted) => offer(providers, wanted)));
    if (offering.length > 0) return offering;
  }
  return pool;
}

/** What every node can make something of. */
const ANY = "default";

function offersProvider(providers: readonly OfferedProvider[], { provider }: WantedModel): boolean {
  return provider === ANY || providers.some(({ name, type }) => name === provider || type === provider);
}

function offersModel(providers: readonly OfferedProvider[], { provider, model }: WantedModel): boolean {
  if (provider === ANY) return true;
  const named = providers.filter(({ name, type }) => name === provider || type === provider);
  return named.some(({ models }) => model === ANY || models.includes(model) || models.includes(`${model}:latest`));
}

function candidateOf(able: Able, need: Need, loads: Loads, self: Self): Candidate {
  const { key, name, region, peer, tags, services, agents } = able;
  const load =
    peer === null
      ? { inFlight: self.depth(need.service), others: 0, latencyMs: null }
      : loads.of(key, need.lane, peer.depth);
  const has = need.agent !== null && agents.includes(need.agent) ? 100 : 0;
  const matching = need.tags.filter((tag) => tags.includes(tag)).length;
  return { key, name, region, self: peer === null, ...load, fitness: has + matching - services.length / 100 };
}

function routeOf({ candidate, why, explain }: Pick, able: readonly Able[]): Route {
  const peer = able.find(({ key }) => key === candidate.key)?.peer ?? null;
  return { key: candidate.key, name: candidate.name, peer, why, explain };
}
