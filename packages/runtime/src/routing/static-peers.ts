/**
 * The peers of `spec.peers` as a view: known by address, asked regularly how they are.
 *
 * V1. A peer is alive once it has answered, suspect with the first check that fails, dead after `deadMs` of failing. Every
 *     state is left with the first answer: checks go on for ever.
 * V2. What a peer says of itself narrows what the file says of it: it is asked for services that both name.
 * V3. An address that answers with this node's own id is no peer.
 */
import type { Clock, Random, StaticPeer } from "../core/index.ts";
import type { Logger, Peer, PeerSnapshot, PeerView } from "../core/ports/index.ts";
import { readText } from "../net/index.ts";
import type { PeerClient } from "../net/index.ts";
import { peerStatus } from "../wire/index.ts";
import type { PeerStatusBody } from "../wire/index.ts";

/** Static peers. */
export interface StaticPeers extends PeerView {
  /** Checks every peer once; resolves when all have answered or failed. */
  checkAll(): Promise<void>;
  /** Checks them regularly until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** What they work with. */
export interface StaticPeersDeps {
  readonly peers: readonly StaticPeer[];
  readonly client: PeerClient;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How often they are asked. */
export interface StaticPeersOptions {
  /** Between two checks of a peer that is well. Milliseconds. @default 5000 */
  readonly intervalMs: number;
  /** Between two checks of one that is not. Milliseconds. @default 1000 */
  readonly suspectIntervalMs: number;
  /** How long a check may take. Milliseconds. @default 2000 */
  readonly timeoutMs: number;
  /** How long checks fail before the peer counts as dead. Milliseconds. @default 30000 */
  readonly deadMs: number;
}

const DEFAULTS: StaticPeersOptions = { intervalMs: 5_000, suspectIntervalMs: 1_000, timeoutMs: 2_000, deadMs: 30_000 };
const JITTER = 0.2;

/** Makes the view; nobody is asked before `checkAll` or `run`. */
export function createStaticPeers(deps: StaticPeersDeps, given: Partial<StaticPeersOptions> = {}): StaticPeers {
  const options = { ...DEFAULTS, ...given };
  const { clock, random } = deps;
  const listeners = new Set<(snapshot: PeerSnapshot) => void>();
  const wakers = new Map<string, () => void>();
  const failingSince = new Map<string, number>();
  let snapshot: PeerSnapshot = { generation: 1, peers: deps.peers.map(unheard) };

  const publish = (peer: Peer): void => {
    const before = snapshot.peers.find(({ key }) => key === peer.key);
    if (before === undefined || JSON.stringify(before) === JSON.stringify(peer)) return;
    const peers = snapshot.peers.map((one) => (one.key === peer.key ? peer : one));
    snapshot = { generation: snapshot.generation + 1, peers };
    if (before.status !== peer.status) {
      deps.logger.info(`peer ${peer.name} is ${peer.status}`, { peer: peer.name, url: peer.url, was: before.status });
    }
    queueMicrotask(() => {
      for (const listener of listeners) listener(snapshot);
    });
  };

  const check = async (peer: StaticPeer): Promise<void> => {
    const heard = await askStatus(deps, peer, options.timeoutMs);
    const before = snapshot.peers.find(({ key }) => key === peer.name) ?? unheard(peer);
    if (heard !== null) {
      failingSince.delete(peer.name);
      publish(heardFrom(peer, heard, deps.nodeId));
      return;
    }
    const since = failingSince.get(peer.name) ?? clock.monotonic();
    failingSince.set(peer.name, since);
    publish({ ...before, status: clock.monotonic() - since >= options.deadMs ? "dead" : "suspect" });
  };

  const watch = async (peer: StaticPeer, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await check(peer);
      const status = snapshot.peers.find(({ key }) => key === peer.name)?.status;
      const waitMs = status === "alive" ? options.intervalMs : options.suspectIntervalMs;
      const woken = new AbortController();
      wakers.set(peer.name, () => woken.abort());
      const jittered = waitMs * (1 - JITTER / 2 + JITTER * random());
      await clock.sleep(jittered, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    }
  };

  return {
    current: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    doubt: (key) => wakers.get(key)?.(),
    checkAll: async () => void (await Promise.all(deps.peers.map(check))),
    run: async (signal) => void (await Promise.all(deps.peers.map((peer) => watch(peer, signal)))),
  };
}

/** A peer that has not answered yet: it is in the list, and nothing is sent to it. */
function unheard({ name, url, services }: StaticPeer): Peer {
  return {
    key: name,
    nodeId: null,
    name,
    url,
    status: "suspect",
    services,
    agents: [],
    providers: [],
    depth: 0,
    store: null,
    region: null,
    tags: [],
    catalogDigest: null,
  };
}

/** V2, V3. */
function heardFrom(peer: StaticPeer, body: PeerStatusBody, ownId: string): Peer {
  const { name, url, services } = peer;
  return {
    key: name,
    nodeId: body.node_id === ownId ? null : body.node_id,
    name: body.name,
    url,
    status: body.draining ? "draining" : "alive",
    services: services.filter((service) => body.services.includes(service)),
    agents: body.agents,
    providers: body.providers,
    depth: body.depth,
    store: body.store,
    region: body.region,
    tags: body.tags,
    catalogDigest: body.catalog_digest,
  };
}

async function askStatus(deps: StaticPeersDeps, peer: StaticPeer, timeoutMs: number): Promise<PeerStatusBody | null> {
  const over = new AbortController();
  deps.clock.sleep(timeoutMs, over.signal).then(
    () => over.abort(new Error(`no answer within ${timeoutMs} ms`)),
    () => undefined,
  );
  const fail = (reason: string): null => {
    deps.logger.debug("a check of a peer failed", { peer: peer.name, url: peer.url, reason });
    return null;
  };
  try {
    const answer = await deps.client.send(
      { url: peer.url, nodeId: null },
      {
        path: "/v1/peer/status",
        body: "{}",
        principal: null,
        via: [],
        deadlineMs: timeoutMs,
        traceparent: null,
        signal: over.signal,
      },
    );
    if (answer.kind === "unreached") return fail(answer.fault);
    const { status, body } = answer.response;
    const text = await readText(body, 1_048_576);
    return status === 200 ? peerStatus.parse(JSON.parse(text)) : fail(`HTTP ${status}: ${text.slice(0, 200)}`);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  } finally {
    over.abort();
  }
}
