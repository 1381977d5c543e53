/**
 * Finds out who does not answer. Each round's exchanges are the probes (SWIM: shuffled round robin, then helpers); a
 * refused connection needs no helpers.
 *
 * I11. A stall voids the probes in flight: their answers may lie unread in our own sockets.
 * P1.  An accusation takes a refusal, or silence towards us and, where there are helpers, towards them.
 * P2.  At most one probe of a member is in flight.
 */
import type { Answered, Context } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { Membership } from "./membership.ts";
import type { HeartbeatRequest, RelayResult } from "./messages.ts";
import type { SelfHealth } from "./self-health.ts";
import { refusalsNeeded, type Suspicions } from "./suspicion.ts";
import type { Member } from "./view.ts";

interface Probe {
  readonly member: Member;
  readonly boot: number;
  readonly startedAtMs: number;
  /** `direct`: waiting for the peer. `relay`: for helpers. `store`: silence is sure, our own senses are not. */
  stage: "direct" | "relay" | "store";
  dueAtMs: number;
  asked: number;
  nacks: number;
}

/** A probe made for somebody else. */
interface Errand {
  readonly member: Member;
  readonly answer: (result: RelayResult) => void;
  readonly dueAtMs: number;
}

/** The failure detector. */
export interface Detector {
  /** The peers of a round get their exchange. */
  round(): void;
  /** A member became live: it takes a random place in the round robin. */
  arrived(member: Member): void;
  /** Others accuse a member: adds what this node knows of it, tells it, and looks for itself where a port was refused. */
  suspected(member: Member): void;
  /** Probes `id` for a peer; `answer` is called once. */
  relay(id: string, waitMs: number, answer: (result: RelayResult) => void): void;
  due(nowMs: number): void;
  nextAtMs(): number;
  stalled(lateMs: number): void;
  /** Forgets whom it was watching. */
  reset(): void;
  /** Exchanges that are no probes tell how they ended, too. */
  noteFailure(member: Member, result: Answered): void;
}

/** What the detector works with. */
export interface DetectorParts {
  readonly exchange: Exchange;
  readonly membership: Membership;
  readonly suspicions: Suspicions;
  readonly health: SelfHealth;
  /** Asks the shared store for a sign of life; false when this node has none. */
  readonly lookAtStore: (done: (answered: boolean) => void) => boolean;
}

/** Suspects are told by so many of those who hear of it, on average. */
const TELLERS = 8;
/** Helpers answer after this part of the time they have, so that their word arrives. */
const NACK_AT = 0.8;
/** How long a failed probe of one's own confirms the accusation of another. */
const FRESH_FAILURE_MS = 5_000;

/** The detector of one node. */
export function createDetector(context: Context, parts: DetectorParts): Detector {
  const { settings, random, view, now, ask } = context;
  const { exchange, membership, suspicions, health } = parts;
  const order: Member[] = [];
  let cursor = 0;
  const probes = new Map<string, Probe>();
  const errands = new Set<Errand>();
  // Peers whose silence led to no verdict. The next turn of the round robin may be minutes away: they are asked again.
  const doubted = new Set<Member>();

  const isCurrent = (probe: Probe): boolean => probes.get(probe.member.id) === probe;

  const probe = (member: Member): void => {
    if (probes.has(member.id)) return;
    const contact = view.contact(member);
    const timeoutMs = Math.min(settings.directTimeoutMaxMs, Math.max(settings.directTimeoutMs, 4 * contact.rttMs));
    const startedAtMs = now();
    const begun: Probe = {
      member,
      boot: member.claim.boot,
      startedAtMs,
      stage: "direct",
      dueAtMs: startedAtMs + timeoutMs,
      asked: 0,
      nacks: 0,
    };
    probes.set(member.id, begun);
    exchange.gossip(member, true, (result) => {
      if (result.ok && result.id === member.id) answered(begun, true);
      else if (isCurrent(begun)) failed(begun, result);
    });
  };

  const answered = (ended: Probe, direct: boolean): void => {
    if (!isCurrent(ended)) return;
    probes.delete(ended.member.id);
    if (!direct) return;
    if (ended.stage === "direct") health.probed(true);
    const contact = view.contact(ended.member);
    contact.rttMs = Math.max(now() - ended.startedAtMs, contact.rttMs * 0.9);
  };

  const failed = (ended: Probe, result: Answered): void => {
    // Another node answers there, or nothing listens: the process is gone from that address.
    if (result.ok || result.reason === "refused") {
      health.refused(now());
      accuse(ended, true);
    } else if (ended.stage === "direct") askHelpers(ended);
  };

  const accuse = (ended: Probe, refused: boolean): void => {
    const { member } = ended;
    probes.delete(member.id);
    if (member.claim.boot !== ended.boot || member.slot < 0) return;
    view.contact(member).failedAtMs = now();
    membership.accuse(member, refused);
  };

  /** A host says that the member is not there. */
  const gone = (member: Member): void => {
    health.refused(now());
    view.contact(member).failedAtMs = now();
    membership.accuse(member, true);
  };

  const askHelpers = (ended: Probe): void => {
    health.probed(false);
    const { member } = ended;
    const contact = view.contact(member);
    // A peer that was not asked for long is not to blame for its silence.
    contact.doubtAtMs ??= Math.max(contact.heardAtMs, ended.startedAtMs - settings.gossipIntervalMs);
    doubted.add(member);
    ended.stage = "relay";
    ended.dueAtMs = now() + settings.relayTimeoutMs;
    const helpers = new Set<Member>([member]);
    while (ended.asked < settings.relayHelpers) {
      const helper = view.pick(random, (one) => helpers.has(one) || one.status !== "alive");
      if (helper === null) break;
      helpers.add(helper);
      ended.asked += 1;
      askHelper(ended, helper);
    }
    if (ended.asked === 0) judge(ended);
  };

  const askHelper = (ended: Probe, helper: Member): void => {
    const sender = { id: helper.id, boot: helper.claim.boot };
    const message: HeartbeatRequest = {
      kind: "heartbeat",
      own: exchange.own(),
      verdict: exchange.verdictOn(sender),
      relay: { id: ended.member.id, waitMs: settings.relayTimeoutMs },
    };
    ask({ id: helper.id, address: helper.claim.meta.address }, message, (result) => {
      exchange.hearReply(result);
      if (!isCurrent(ended) || !result.ok || result.reply.kind !== "heartbeat") return;
      const { relay } = result.reply;
      if (relay === "ack") answered(ended, false);
      else if (relay === "refused") accuse(ended, false);
      else if (relay === "nack") {
        ended.nacks += 1;
        if (ended.nacks === ended.asked) judge(ended);
      }
    });
  };

  /** Nobody got an answer. H1 and H2 decide whether that is the peer's fault. */
  const judge = (ended: Probe): void => {
    const { member, startedAtMs } = ended;
    if (!health.credible() && ended.nacks < Math.min(2, Math.max(1, suspicions.alive() - 1))) doubt(ended);
    else if (health.heardSince(startedAtMs, member.id)) accuse(ended, false);
    else if (ended.stage === "store") doubt(ended);
    else {
      ended.stage = "store";
      ended.dueAtMs = now() + settings.relayTimeoutMs;
      const isAsked = parts.lookAtStore((isUp) => {
        if (isUp) health.storeAnswered(now());
        if (isCurrent(ended)) judge(ended);
      });
      if (!isAsked) doubt(ended);
    }
  };

  /** No verdict; the doubt stays, and age speaks in time. */
  const doubt = (ended: Probe): void => {
    probes.delete(ended.member.id);
  };

  /** When a doubted peer is suspect by age alone: so long after its last sign of life. */
  const ageAtMs = ({ status, contact }: Member): number =>
    status === "alive" && contact?.doubtAtMs != null
      ? contact.doubtAtMs + settings.failureTimeoutMs
      : Number.POSITIVE_INFINITY;

  const nextPeer = (): Member | null => {
    for (let left = order.length; left >= 0; left -= 1) {
      if (cursor >= order.length) reshuffle();
      const member = order[cursor];
      cursor += 1;
      if (member !== undefined && member.slot >= 0) return member;
    }
    return null;
  };

  const reshuffle = (): void => {
    cursor = 0;
    order.length = 0;
    order.push(...view.live);
    for (let at = order.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      const member = order[at]!;
      order[at] = order[other]!;
      order[other] = member;
    }
  };

  const tell = (member: Member): void => {
    if (random() * view.size() < TELLERS) exchange.gossip(member, false);
  };

  return {
    round: () => {
      let again = MAX_DOUBTED;
      for (const member of doubted) {
        if (member.status !== "alive" || member.contact?.doubtAtMs == null) doubted.delete(member);
        else if (again-- > 0) probe(member);
      }
      let wanted = Math.min(settings.gossipFanout, view.live.length);
      // The end of one turn and the beginning of the next may name the same peer.
      for (let tries = 2 * wanted; tries > 0 && wanted > 0; tries -= 1) {
        const peer = nextPeer();
        if (peer === null || probes.has(peer.id)) continue;
        probe(peer);
        wanted -= 1;
      }
    },
    arrived: (member) => {
      order.splice(cursor + Math.floor(random() * (order.length - cursor + 1)), 0, member);
    },
    suspected: (member) => {
      const contact = view.contact(member);
      const ours = member.accusers.some((accuser) => accuser.id === context.self.id);
      if (!ours && now() - contact.failedAtMs < FRESH_FAILURE_MS) membership.accuse(member, false);
      const refusals = member.accusers.filter((accuser) => accuser.refused).length;
      if (!ours && refusals > 0 && refusals < refusalsNeeded(suspicions.alive())) probe(member);
      else tell(member);
    },
    relay: (id, waitMs, answer) => {
      const member = view.get(id);
      if (member === undefined) return answer("unknown");
      const errand: Errand = { member, answer, dueAtMs: now() + waitMs * NACK_AT };
      errands.add(errand);
      const finish = (result: RelayResult): void => {
        if (errands.delete(errand)) answer(result);
      };
      const message: HeartbeatRequest = {
        kind: "heartbeat",
        own: exchange.own(),
        verdict: exchange.verdictOn({ id, boot: member.claim.boot }),
        relay: null,
      };
      ask({ id, address: member.claim.meta.address }, message, (result) => {
        exchange.hearReply(result);
        if (result.ok && result.id === id) return finish("ack");
        if (!errands.has(errand)) return undefined;
        view.contact(member).failedAtMs = now();
        if (!result.ok && result.reason !== "refused") return finish("nack");
        gone(member);
        return finish("refused");
      });
      return undefined;
    },
    due: (nowMs) => {
      for (const one of probes.values()) {
        if (one.dueAtMs > nowMs) continue;
        if (one.stage === "direct") askHelpers(one);
        else if (one.stage === "relay") judge(one);
        else doubt(one);
      }
      for (const member of doubted) if (ageAtMs(member) <= nowMs) membership.accuse(member, false);
      for (const errand of errands) {
        if (errand.dueAtMs > nowMs) continue;
        errands.delete(errand);
        view.contact(errand.member).failedAtMs = nowMs;
        errand.answer("nack");
      }
    },
    nextAtMs: () => {
      let next = Number.POSITIVE_INFINITY;
      for (const { dueAtMs } of probes.values()) if (dueAtMs < next) next = dueAtMs;
      for (const { dueAtMs } of errands) if (dueAtMs < next) next = dueAtMs;
      for (const member of doubted) next = Math.min(next, ageAtMs(member));
      return next;
    },
    stalled: (lateMs) => {
      probes.clear();
      for (const errand of errands) errand.answer("unknown");
      errands.clear();
      for (const { contact } of view.live) if (contact?.doubtAtMs != null) contact.doubtAtMs += lateMs;
    },
    reset: () => {
      probes.clear();
      doubted.clear();
      order.length = 0;
    },
    noteFailure: (member, result) => {
      if (!result.ok && result.reason === "refused") gone(member);
    },
  };
}

/** Doubted peers asked again in one round. */
const MAX_DOUBTED = 3;
