import { describe, expect, test } from "vitest";

import { manualClock } from "../../test/fakes/index.ts";
import type { Peer, PeerView } from "../core/ports/index.ts";
import { createRouter, MAX_HOPS, SELF } from "./router.ts";
import type { Need, RouterOptions, Self } from "./router.ts";

const peer = (key: string, parts: Partial<Peer> = {}): Peer => ({
  key,
  nodeId: `node_${key}`,
  name: key,
  url: `http://${key}`,
  status: "alive",
  services: ["agents", "inference"],
  agents: [],
  providers: [],
  depth: 0,
  store: { id: `store_${key}`, shared: false },
  region: null,
  tags: [],
  catalogDigest: null,
  ...parts,
});

const NEED: Need = {
  service: "agents",
  lane: "x",
  agent: null,
  tags: [],
  models: [],
  affinity: null,
  storeId: null,
  except: new Set(),
  via: [],
};

function router(peers: readonly Peer[], self: Partial<Self> = {}, options: Partial<RouterOptions> = {}) {
  const view: PeerView = { current: () => ({ generation: 1, peers }), subscribe: () => () => {}, doubt: () => {} };
  const here: Self = {
    nodeId: "node_here",
    name: "here",
    region: null,
    tags: [],
    services: [],
    store: () => ({ id: "store_here", shared: false }),
    agents: () => [],
    providers: () => [],
    depth: () => 0,
    ...self,
  };
  return createRouter(
    { view, self: here, clock: manualClock(), random: () => 0.5 },
    { strategy: "round_robin", localPreference: true, ejection: {}, ...options },
  );
}

/** Everybody that a few choices in turn come to. */
const reached = (made: ReturnType<typeof router>, need: Partial<Need> = {}): readonly string[] => {
  const keys = Array.from({ length: 8 }, () => made.choose({ ...NEED, ...need })?.key ?? "nobody");
  return [...new Set(keys)].toSorted();
};

describe("the router", () => {
  test("takes turns among those that offer the service", () => {
    const made = router([peer("a"), peer("b"), peer("c", { services: ["inference"] })]);
    expect(reached(made)).toEqual(["a", "b"]);
    expect(reached(made, { service: "rag" })).toEqual(["nobody"]);
  });

  test("never goes where the request came from, and not on for ever (R1)", () => {
    const made = router([peer("a"), peer("b")]);
    expect(reached(made, { via: ["node_a"] })).toEqual(["b"]);
    const far = Array.from({ length: MAX_HOPS }, (_, hop) => `node_${hop}`);
    expect(reached(made, { via: far })).toEqual(["nobody"]);
    expect(reached(router([peer("me", { nodeId: "node_here" })]))).toEqual(["nobody"]);
  });

  test("asks suspects only when nobody else is left; draining and dead never (R2)", () => {
    const suspect = peer("s", { status: "suspect" });
    const gone = [peer("d", { status: "dead" }), peer("e", { status: "draining" })];
    expect(reached(router([suspect, peer("a"), ...gone]))).toEqual(["a"]);
    expect(reached(router([suspect, ...gone]))).toEqual(["s"]);
    expect(reached(router(gone))).toEqual(["nobody"]);
  });

  test("sends nothing to a node whose id is not known (R3)", () => {
    expect(reached(router([peer("a", { nodeId: null }), peer("b")]))).toEqual(["b"]);
  });

  test("leaves a node alone after one refused connection", () => {
    const made = router([peer("a"), peer("b")]);
    made.ejection.record("a", "connect_failure");
    expect(reached(made)).toEqual(["b"]);
    expect(reached(made, { except: new Set(["b"]) })).toEqual(["a"]);
  });

  test("serves itself first, and goes elsewhere when that was tried", () => {
    const made = router([peer("a")], { services: ["agents"] });
    expect(reached(made)).toEqual([SELF]);
    expect(reached(made, { except: new Set([SELF]) })).toEqual(["a"]);
    expect(reached(router([peer("a")], { services: ["agents"] }, { localPreference: false }))).toEqual(["a", SELF]);
  });

  test("goes to those that have the agent, and to all when nobody says so", () => {
    const made = router([peer("a", { agents: ["parrot"] }), peer("b", { agents: ["other"] })]);
    expect(reached(made, { agent: "parrot" })).toEqual(["a"]);
    expect(reached(made, { agent: "unknown" })).toEqual(["a", "b"]);
  });

  test("goes only to nodes with all the tags, and only to the store that is named", () => {
    const made = router([peer("a", { tags: ["gpu", "eu"] }), peer("b", { tags: ["gpu"] })]);
    expect(reached(made, { tags: ["gpu", "eu"] })).toEqual(["a"]);
    expect(reached(made, { tags: ["tpu"] })).toEqual(["nobody"]);
    expect(reached(made, { storeId: "store_b" })).toEqual(["b"]);
  });

  test("prefers nodes that offer the model, then the provider, then any", () => {
    const ollama = (models: readonly string[]) => [{ name: "ollama", type: "ollama", models }];
    const made = router([
      peer("a", { providers: ollama(["llama:latest"]) }),
      peer("b", { providers: ollama(["other"]) }),
      peer("c"),
    ]);
    const asked = (provider: string, model: string) =>
      reached(made, { service: "inference", models: [{ provider, model }] });
    expect(asked("ollama", "llama")).toEqual(["a"]);
    expect(asked("ollama", "missing")).toEqual(["a", "b"]);
    expect(asked("openai", "gpt")).toEqual(["a", "b", "c"]);
    expect(asked("default", "default")).toEqual(["a", "b", "c"]);
  });
});
