import type { MeshEffect, MeshInput, MeshReply } from "../../src/mesh/index.ts";
import type { EventQueue, Timed } from "./event-queue.ts";
import type { SimNetwork } from "./network.ts";
import type { SimNode } from "./node.ts";
import type { SimStore } from "./store.ts";

/** One HTTP exchange on its way. */
export interface Exchange {
  readonly from: SimNode;
  readonly life: number;
  readonly request: number;
  readonly sentAt: number;
  readonly timeoutMs: number;
  to: SimNode | null;
  toLife: number;
  isDone: boolean;
}

/** What lies in the queue. */
export type WorldEvent = Timed &
  (
    | { readonly kind: "wake"; readonly node: SimNode; readonly life: number }
    | { readonly kind: "action"; readonly action: () => void }
    | { readonly kind: "request"; readonly exchange: Exchange; readonly effect: Send; readonly number: number }
    | {
        readonly kind: "reply";
        readonly exchange: Exchange;
        readonly id: string;
        readonly boot: number;
        readonly message: MeshReply;
      }
    | { readonly kind: "failed"; readonly exchange: Exchange; readonly reason: "refused" | "timeout" }
    | { readonly kind: "lease"; readonly node: SimNode; readonly life: number; readonly effect: Lease }
  );

type Send = Extract<MeshEffect, { kind: "send" }>;
type Lease = Extract<MeshEffect, { kind: "lease" }>;

/** Carries requests and answers as HTTP does: an answer, a refusal or a timeout, exactly one of them. */
export interface Post {
  perform(node: SimNode, effect: MeshEffect): void;
  arrive(event: WorldEvent): void;
  listen(node: SimNode): void;
  /** The process ended: what it was about to answer never comes. */
  ended(node: SimNode): void;
  readonly messages: () => number;
}

/** What the post works with. */
export interface PostParts {
  readonly queue: EventQueue<WorldEvent>;
  readonly network: SimNetwork;
  readonly store: SimStore;
  /** Exchanges that are delivered and not answered, by number. */
  readonly exchanges: Map<number, Exchange>;
  readonly now: () => number;
  readonly give: (node: SimNode, input: MeshInput) => void;
  readonly trace: (kind: number, node: number) => void;
}

/** The post of one world. */
export function createPost({ queue, network, store, exchanges, now, give, trace }: PostParts): Post {
  const listeners = new Map<string, SimNode>();
  let numbers = 0;
  let messages = 0;

  const fail = (exchange: Exchange, reason: "refused" | "timeout", at: number): void => {
    queue.push({ at, order: 0, kind: "failed", exchange, reason });
  };
  const timeOut = (exchange: Exchange): void =>
    fail(exchange, "timeout", Math.max(now(), exchange.sentAt + exchange.timeoutMs));

  const send = (from: SimNode, effect: Send): void => {
    const to = listeners.get(effect.to.address) ?? null;
    const exchange: Exchange = {
      from,
      life: from.life,
      request: effect.request,
      sentAt: now(),
      timeoutMs: effect.timeoutMs,
      to,
      toLife: 0,
      isDone: false,
    };
    const tripMs = to === null ? null : network.carry(from.index, to.index);
    if (tripMs === null) return timeOut(exchange);
    numbers += 1;
    queue.push({ at: now() + tripMs, order: 0, kind: "request", exchange, effect, number: numbers });
    if (network.duplication > 0 && network.carry(from.index, to!.index) !== null && isTwice()) {
      numbers += 1;
      queue.push({
        at: now() + 2 * tripMs,
        order: 0,
        kind: "request",
        exchange: { ...exchange, isDone: true },
        effect,
        number: numbers,
      });
    }
    return undefined;
  };
  const isTwice = (): boolean => {
    numbers += 1;
    return (Math.imul(numbers, 0x9e37_79b1) >>> 0) / 4_294_967_296 < network.duplication;
  };

  const deliver = ({ exchange, effect, number }: Extract<WorldEvent, { kind: "request" }>): void => {
    const to = exchange.to!;
    trace(1, to.index);
    if (to.state === "silent") return timeOut(exchange);
    if (to.state === "refused") {
      const backMs = network.carry(to.index, exchange.from.index);
      return backMs === null ? timeOut(exchange) : fail(exchange, "refused", now() + backMs);
    }
    messages += 1;
    exchange.toLife = to.life;
    exchanges.set(number, exchange);
    const { id, boot } = exchange.from;
    give(to, {
      kind: "request",
      exchange: number,
      from: { id, boot },
      to: effect.to.id,
      remote: exchange.from.address,
      message: effect.message,
    });
    // Answered later, or never: then the sender's own patience ends it.
    if (exchanges.has(number)) timeOut(exchange);
    return undefined;
  };

  const answer = (node: SimNode, { exchange: number, message }: Extract<MeshEffect, { kind: "answer" }>): void => {
    const exchange = exchanges.get(number);
    exchanges.delete(number);
    if (exchange === undefined || exchange.isDone) return;
    const tripMs = network.carry(node.index, exchange.from.index);
    if (tripMs === null) timeOut(exchange);
    else queue.push({ at: now() + tripMs, order: 0, kind: "reply", exchange, id: node.id, boot: node.boot, message });
  };

  const settle = (exchange: Exchange, input: MeshInput): void => {
    if (exchange.isDone || exchange.life !== exchange.from.life) return;
    exchange.isDone = true;
    trace(input.kind === "reply" ? 2 : 3, exchange.from.index);
    give(exchange.from, input);
  };

  const ask = (node: SimNode, effect: Lease): void => {
    queue.push({ at: now() + store.delayMs, order: 0, kind: "lease", node, life: node.life, effect });
  };

  return {
    perform: (node, effect) => {
      if (effect.kind === "send") send(node, effect);
      else if (effect.kind === "answer") answer(node, effect);
      else if (effect.kind === "lease") ask(node, effect);
    },
    arrive: (event) => {
      if (event.kind === "request") deliver(event);
      else if (event.kind === "reply") {
        messages += 1;
        const { id, boot, message, exchange } = event;
        settle(exchange, { kind: "reply", request: exchange.request, from: { id, boot }, message });
      } else if (event.kind === "failed") {
        settle(event.exchange, { kind: "failed", request: event.exchange.request, reason: event.reason });
      } else if (event.kind === "lease" && event.life === event.node.life) {
        const { request, action, candidate, boot, epoch } = event.effect;
        trace(4, event.node.index);
        const outcome = store.isUp ? store.run(action, candidate, boot, epoch, now()) : ({ kind: "error" } as const);
        give(event.node, { kind: "lease", request, outcome });
      }
    },
    listen: (node) => {
      listeners.set(node.address, node);
    },
    ended: (node) => {
      for (const [number, exchange] of exchanges) {
        if (exchange.to === node) exchanges.delete(number);
      }
    },
    messages: () => messages,
  };
}
