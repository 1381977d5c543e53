import { expect, test } from "vitest";

import { manualClock } from "../../test/fakes/index.ts";
import type { PeerAnswer, PeerClient } from "../net/index.ts";
import type { PeerStatusBody } from "../wire/index.ts";
import { createStaticPeers } from "./static-peers.ts";

const BODY: PeerStatusBody = {
  node_id: "node_w",
  boot: 1,
  name: "worker",
  version: "1",
  services: ["agents", "memory"],
  draining: false,
  depth: 2,
  agents: ["parrot"],
  catalog_digest: "d1",
  providers: [],
  store: { id: "store_w", shared: false },
  region: null,
  tags: [],
};

const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };

/** One peer whose answers the test sets. */
function setUp() {
  const clock = manualClock();
  const state = { answers: BODY as PeerStatusBody | null };
  const client: PeerClient = {
    async send(): Promise<PeerAnswer> {
      if (state.answers === null) return { kind: "unreached", fault: "refused", mayHaveBegun: false, error: null };
      const bytes = new TextEncoder().encode(JSON.stringify(state.answers));
      const body = (async function* once() {
        yield bytes;
      })();
      return { kind: "answered", response: { status: 200, headers: {}, body } };
    },
  };
  const peers = createStaticPeers({
    peers: [{ name: "worker-1", url: "http://worker:8000", services: ["agents", "rag"] }],
    client,
    nodeId: "node_here",
    clock,
    random: () => 0.5,
    logger,
  });
  return { clock, state, peers, first: () => peers.current().peers[0] };
}

test("a peer is alive once it has answered, and is asked for what both the file and it name (V1, V2)", async () => {
  const { peers, first } = setUp();
  expect(first()).toMatchObject({ status: "suspect", nodeId: null });
  await peers.checkAll();
  expect(first()).toMatchObject({
    key: "worker-1",
    name: "worker",
    nodeId: "node_w",
    status: "alive",
    services: ["agents"],
  });
});

test("suspect at the first failure, dead after 30 s of them, alive with the first answer (V1)", async () => {
  const { clock, state, peers, first } = setUp();
  await peers.checkAll();
  state.answers = null;
  const seen: string[] = [];
  for (const passMs of [0, 29_999, 1]) {
    clock.advance(passMs);
    await peers.checkAll();
    seen.push(first()?.status ?? "");
  }
  expect(seen).toEqual(["suspect", "suspect", "dead"]);
  state.answers = { ...BODY, draining: true };
  await peers.checkAll();
  expect(first()?.status).toBe("draining");
});

test("an address that answers with this node's own id is no peer (V3)", async () => {
  const { state, peers, first } = setUp();
  state.answers = { ...BODY, node_id: "node_here" };
  await peers.checkAll();
  expect(first()?.nodeId).toBeNull();
});

test("subscribers hear of changes only", async () => {
  const { state, peers } = setUp();
  let heard = 0;
  peers.subscribe(() => (heard += 1));
  await peers.checkAll();
  await peers.checkAll();
  expect(heard).toBe(1);
  state.answers = { ...BODY, catalog_digest: "d2" };
  await peers.checkAll();
  expect(heard).toBe(2);
});
