import {
  createMeshCore,
  DEFAULT_SETTINGS,
  type MeshInput,
  type MeshSettings,
  type NodeMeta,
} from "../../src/mesh/index.ts";
import { createEventQueue } from "./event-queue.ts";
import { createNetwork, type SimNetwork } from "./network.ts";
import type { SimNode } from "./node.ts";
import { createPost, type Exchange, type Post, type WorldEvent } from "./post.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { createSimSigners } from "./signer.ts";
import { createStore, type SimStore } from "./store.ts";

/** How a node is born. */
export interface Birth {
  readonly label?: string;
  readonly seeds?: readonly SimNode[];
  /** Reaches the shared store. */
  readonly hasStore?: boolean;
  readonly meta?: Partial<NodeMeta>;
}

/** What watchers are told. */
export type LogHook = (node: SimNode, event: string, fields: Readonly<Record<string, unknown>>) => void;

/** A mesh of simulated nodes: production cores on a clock, a network and a store that all follow one seed. */
export interface World {
  readonly nodes: readonly SimNode[];
  readonly network: SimNetwork;
  readonly store: SimStore;
  readonly settings: MeshSettings;
  now(): number;
  /** Requests and answers delivered so far. */
  messages(): number;
  /** Equal for equal runs: over every event's time, kind and nodes. */
  trace(): string;
  /** A node that is not started. */
  add(birth?: Birth): SimNode;
  start(node: SimNode): void;
  /** The process ends. `refused`: the host says so; `silent`: the host is gone as well. */
  crash(node: SimNode, how: "refused" | "silent"): void;
  /** After a crash. A new identity forgets the old id, as in a container without a volume. */
  restart(node: SimNode, identity: "same" | "new"): void;
  /** The process stands still, as under SIGSTOP; what comes in waits. */
  pause(node: SimNode, durationMs: number): void;
  give(node: SimNode, input: MeshInput): void;
  at(timeMs: number, action: () => void): void;
  run(untilMs: number): void;
  onLog(hook: LogHook): void;
  /** Called after every step of a node. */
  onStep(hook: (node: SimNode) => void): void;
}

/** Monotonic clocks of nodes begin anywhere; these are far enough apart that mixing two of them is noticed. */
const CLOCK_SPREAD_MS = 5_000_000;

/** A world without nodes. */
export function createWorld(seed: bigint, changes: Partial<MeshSettings> = {}): World {
  const settings: MeshSettings = { ...DEFAULT_SETTINGS, ...changes };
  const random = createRandom(deriveSeed(seed, 0));
  const queue = createEventQueue<WorldEvent>();
  const network = createNetwork(createRandom(deriveSeed(seed, 1)));
  const store = createStore("store-a", settings.leaseTtlMs);
  const signerOf = createSimSigners();
  const nodes: SimNode[] = [];
  const logHooks: LogHook[] = [];
  const stepHooks: ((node: SimNode) => void)[] = [];
  const exchanges = new Map<number, Exchange>();
  let nowMs = 0;
  let [traceHigh, traceLow] = [1, 2];
  let identities = 0;

  const localTime = (node: SimNode): number => nowMs * node.rate + node.offsetMs;
  const trace = (kind: number, node: number): void => {
    const time = (nowMs * 1_000) | 0;
    traceHigh = Math.imul(traceHigh ^ time, 0x85eb_ca6b) ^ kind;
    traceLow = Math.imul(traceLow ^ node ^ traceHigh, 0xc2b2_ae35) ^ (traceLow >>> 15);
  };

  const scheduleWake = (node: SimNode): void => {
    const { core } = node;
    if (core === null) return;
    // A hair late: converting between clocks rounds, and a wake that is early would be asked for again at the same time.
    const at = Math.max(nowMs, (core.nextWakeMs() - node.offsetMs) / node.rate + 0.001);
    if (at >= node.wakeAt || !Number.isFinite(at)) return;
    node.wakeAt = at;
    queue.push({ at, order: 0, kind: "wake", node, life: node.life });
  };

  const give = (node: SimNode, input: MeshInput): void => {
    const { core } = node;
    if (core === null) return;
    if (nowMs < node.pausedUntil) {
      if (node.inbox.length < MAX_INBOX) node.inbox.push(input);
      return;
    }
    const effects = core.step(input, localTime(node));
    for (const effect of effects) {
      if (effect.kind === "log") for (const hook of logHooks) hook(node, effect.event, effect.fields);
      else if (effect.kind === "out") node.out = effect.reason;
      else post.perform(node, effect);
    }
    for (const hook of stepHooks) hook(node);
    scheduleWake(node);
  };

  const post: Post = createPost({ queue, network, store, exchanges, now: () => nowMs, give, trace });

  const wake = (event: Extract<WorldEvent, { kind: "wake" }>): void => {
    const { node } = event;
    if (event.life !== node.life || node.core === null || event.at !== node.wakeAt) return;
    node.wakeAt = Number.POSITIVE_INFINITY;
    if (nowMs < node.pausedUntil) return;
    if (node.core.nextWakeMs() > localTime(node)) scheduleWake(node);
    else {
      trace(9, node.index);
      give(node, { kind: "wake" });
    }
  };

  /** A process that ran again does its timers first (as libuv does), then what waits in its sockets. */
  const resume = (node: SimNode, life: number): void => {
    if (node.core === null || life !== node.life || nowMs < node.pausedUntil) return;
    const inbox = node.inbox.splice(0);
    give(node, { kind: "wake" });
    for (const input of inbox) give(node, input);
  };

  const addressOf = (index: number): string => `10.0.${index >> 8}.${index & 255}:8000`;

  const world: World = {
    nodes,
    network,
    store,
    settings,
    now: () => nowMs,
    messages: post.messages,
    trace: () => [traceHigh, traceLow].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join(""),
    add: (birth = {}) => {
      const index = nodes.length;
      const address = birth.meta?.address ?? addressOf(index);
      const node: SimNode = {
        index,
        id: `node_${String(index).padStart(5, "0")}`,
        boot: 0,
        address,
        label: birth.label ?? `node-${index}`,
        hasStore: birth.hasStore ?? false,
        meta: metaOf(address, birth, store),
        seeds: (birth.seeds ?? []).map((seed) => seed.address),
        core: null,
        state: "silent",
        life: 0,
        rate: 1,
        offsetMs: Math.floor(random() * CLOCK_SPREAD_MS),
        wakeAt: Number.POSITIVE_INFINITY,
        pausedUntil: 0,
        faultAt: Number.NEGATIVE_INFINITY,
        inbox: [],
        out: null,
      };
      nodes.push(node);
      return node;
    },
    start: (node) => {
      node.boot += 1;
      node.life += 1;
      node.state = "up";
      node.out = null;
      node.pausedUntil = 0;
      node.inbox.length = 0;
      node.wakeAt = Number.POSITIVE_INFINITY;
      node.core = createMeshCore(
        {
          id: node.id,
          boot: node.boot,
          label: node.label,
          meta: { ...node.meta, address: node.address, name: node.label },
          seeds: node.seeds,
          settings,
          signer: signerOf(node.id),
          random: createRandom(deriveSeed(seed, 10 + node.index * 1_000 + node.life)),
        },
        localTime(node),
      );
      post.listen(node);
      give(node, { kind: "start" });
    },
    crash: (node, how) => {
      node.core = null;
      node.state = how;
      node.faultAt = nowMs;
      node.inbox.length = 0;
      post.ended(node);
    },
    restart: (node, identity) => {
      if (identity === "new") {
        identities += 1;
        node.id = `node_${String(node.index).padStart(5, "0")}_${identities}`;
        node.boot = 0;
      }
      world.start(node);
    },
    pause: (node, durationMs) => {
      if (node.core === null) return;
      node.pausedUntil = Math.max(node.pausedUntil, nowMs + durationMs);
      node.faultAt = node.pausedUntil;
      const { life } = node;
      world.at(node.pausedUntil, () => resume(node, life));
    },
    give,
    at: (timeMs, action) => {
      queue.push({ at: Math.max(nowMs, timeMs), order: 0, kind: "action", action });
    },
    run: (untilMs) => {
      while (queue.nextAt() <= untilMs) {
        const event = queue.pop()!;
        nowMs = event.at;
        if (event.kind === "wake") wake(event);
        else if (event.kind === "action") event.action();
        else post.arrive(event);
      }
      nowMs = Math.max(nowMs, untilMs);
    },
    onLog: (hook) => {
      logHooks.push(hook);
    },
    onStep: (hook) => {
      stepHooks.push(hook);
    },
  };
  return world;
}

/** What a process that stands still keeps in its sockets; the rest is dropped by the kernel. */
const MAX_INBOX = 512;

function metaOf(address: string, { label, hasStore, meta }: Birth, store: SimStore): NodeMeta {
  return {
    name: label ?? address,
    role: "worker",
    services: ["agents"],
    address,
    agents: [],
    region: null,
    tags: [],
    resources: null,
    draining: false,
    store: hasStore === true ? { id: store.id, shared: true } : null,
    release: "0.1.0",
    features: [],
    ...meta,
  };
}
