/** What a node does by the clock: rounds of exchanges, flushes of news, heartbeats, and what its parts have due. */
import type { Context } from "./context.ts";
import type { Parts } from "./parts.ts";

/** The clockwork of one node. */
export interface Pulse {
  /** The first round comes at a random time of the first interval, so that nodes that start together do not beat together. */
  start(): void;
  /** Something was sent: no heartbeat is needed for a while. */
  sent(): void;
  due(nowMs: number): void;
  nextAtMs(): number;
}

/** A clockwork that stands until it is started. */
export function createPulse(context: Context, parts: Parts): Pulse {
  const { settings, random, view, now } = context;
  const { detector, dissemination, election, exchange, healing, membership, suspicions } = parts;
  let roundAtMs = Number.POSITIVE_INFINITY;
  let sentAtMs = now();

  const round = (nowMs: number): void => {
    roundAtMs = nowMs + settings.gossipIntervalMs * (0.9 + 0.2 * random());
    view.expire(nowMs);
    detector.round();
    healing.round();
  };

  const flush = (nowMs: number): void => {
    const peers = new Set<string>();
    for (let wanted = dissemination.flush(nowMs); wanted > 0; wanted -= 1) {
      const peer = view.pick(random, (one) => peers.has(one.id));
      if (peer === null) return;
      peers.add(peer.id);
      exchange.gossip(peer, false, (result) => detector.noteFailure(peer, result));
    }
  };

  const beat = (nowMs: number): void => {
    sentAtMs = nowMs;
    const peer = view.pick(random, ({ status }) => status !== "alive");
    if (peer === null) return;
    const to = { id: peer.id, address: peer.claim.meta.address };
    const verdict = exchange.verdictOn({ id: peer.id, boot: peer.claim.boot });
    context.ask(to, { kind: "heartbeat", own: exchange.own(), verdict, relay: null }, exchange.hearReply);
  };

  return {
    start: () => {
      roundAtMs = now() + settings.gossipIntervalMs * random();
    },
    sent: () => {
      sentAtMs = now();
    },
    due: (nowMs) => {
      detector.due(nowMs);
      for (const member of suspicions.due(nowMs)) membership.declareDead(member);
      if (nowMs >= roundAtMs) round(nowMs);
      healing.due(nowMs);
      election.due(nowMs);
      if (nowMs >= dissemination.nextAtMs()) flush(nowMs);
      if (nowMs - sentAtMs >= settings.heartbeatIntervalMs) beat(nowMs);
    },
    nextAtMs: () =>
      Math.min(
        roundAtMs,
        detector.nextAtMs(),
        suspicions.nextAtMs(),
        dissemination.nextAtMs(),
        healing.nextAtMs(),
        election.nextAtMs(),
        sentAtMs + settings.heartbeatIntervalMs,
      ),
  };
}
