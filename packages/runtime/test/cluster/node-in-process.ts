import { onTestFinished } from "vitest";

import { createIds } from "../../src/core/index.ts";
import type { ServiceName } from "../../src/core/index.ts";
import type { ModelGateway } from "../../src/core/ports/index.ts";
import { createAuthenticator, createHttpServer, createNodeDoor, createPeerGate } from "../../src/doors/index.ts";
import { createHttpClient, createPeerClient, meshKeyring } from "../../src/net/index.ts";
import { createRouting, createStaticPeers } from "../../src/routing/index.ts";
import type { RoutedFront, Routing } from "../../src/routing/index.ts";
import { createFakeNode } from "../fakes/fake-node.ts";
import type { FakeNode } from "../fakes/fake-node.ts";
import { systemClock } from "../fakes/index.ts";

const KEYRING = meshKeyring(["the secret of the test's mesh"]);

/** The node door on a real port over faked ports: what a peer of the node under test is. */
export interface PeerInProcess {
  readonly name: string;
  readonly url: string;
  readonly node: FakeNode;
}

/** Starts one. */
export async function startPeer(
  name: string,
  given: { readonly models?: ModelGateway; readonly services?: readonly ServiceName[]; readonly store?: string } = {},
): Promise<PeerInProcess> {
  const { services = ["agents", "inference"], store = `store_${name}`, models = null } = given;
  const node = createFakeNode({ clock: systemClock, auth: createAuthenticator({ keys: [] }) });
  const app = createNodeDoor({
    gate: createPeerGate({ nodeId: `node_${name}`, cluster: "astromesh", keyring: KEYRING, keyed: true }),
    status: () => ({
      node_id: `node_${name}`,
      boot: 1,
      name,
      version: "1",
      services: [...services],
      draining: false,
      depth: 0,
      agents: [...node.catalog.current().agents.keys()],
      catalog_digest: String(node.catalog.current().generation),
      providers: [],
      store: { id: store, shared: true },
      region: null,
      tags: [],
    }),
    depth: () => 0,
    runsFor: () => node.runs,
    places: { routedTo: () => name, inferenceNode: () => name },
    catalog: node.catalog,
    agents: node.agents,
    memory: node.memory,
    models,
    drain: node.drain,
    clock: systemClock,
    logger: node.logger,
  });
  const server = createHttpServer(
    { fetch: (request, env) => app.fetch(request, env), drain: node.drain, clock: systemClock, logger: node.logger },
    { host: "127.0.0.1", port: 0 },
  );
  await server.start();
  onTestFinished(() => server.stop({ graceMs: 100 }));
  return { name, url: `http://127.0.0.1:${server.address()?.port}`, node };
}

/** Routing over those peers, in a node that offers `services` itself. */
export async function routeOver(
  peers: readonly { readonly name: string; readonly url: string }[],
  given: { readonly services?: readonly ServiceName[] } = {},
): Promise<{ readonly routing: Routing; readonly front: RoutedFront; readonly local: FakeNode }> {
  const local = createFakeNode({ clock: systemClock, auth: createAuthenticator({ keys: [] }) });
  const http = createHttpClient();
  onTestFinished(() => http.stop());
  const client = createPeerClient({
    http,
    sender: { nodeId: "node_here", boot: 1, cluster: "astromesh", keyring: KEYRING },
  });
  const common = { clock: systemClock, random: Math.random, logger: local.logger };
  const view = createStaticPeers({
    ...common,
    client,
    nodeId: "node_here",
    peers: peers.map(({ name, url }) => ({ name, url, services: ["agents", "inference"] })),
  });
  await view.checkAll();
  const self = {
    nodeId: "node_here",
    name: "here",
    region: null,
    tags: [],
    services: given.services ?? [],
    store: () => null,
    agents: () => [],
    providers: () => [],
    depth: () => 0,
  };
  const routing = createRouting(
    { ...common, view, client, self, ids: createIds(() => Date.now(), Math.random) },
    { strategy: "round_robin", localPreference: true, maxAttempts: 3, retryRatio: 0.2, ejection: {} },
  );
  return { routing, front: routing.front(local), local };
}
