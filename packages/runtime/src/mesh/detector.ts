/**
 * Finds out who does not answer. Each round's exchanges are the probes (SWIM: shuffled round robin, then helpers); a
 * refused connection needs no helpers; age speaks where nothing else may.
 */
import type { Answered, Context } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { Membership } from "./membership.ts";
import type { RelayResult } from "./messages.ts";
import { createProbes } from "./probes.ts";
import { createRelay } from "./relay.ts";
import { createRoundRobin } from "./round-robin.ts";
import type { SelfHealth } from "./self-health.ts";
import { refusalsNeeded, type Suspicions } from "./suspicion.ts";
import type { Member } from "./view.ts";

/** The failure detector. */
export interface Detector {
  /** The peers of a round get their exchange. */
  round(): void;
  /** A member became live. */
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
/** How long a failed probe of one's own confirms the accusation of another. */
const FRESH_FAILURE_MS = 5_000;
/** Doubted peers asked again in one round. */
const MAX_DOUBTED = 3;

/** The detector of one node. */
export function createDetector(context: Context, parts: DetectorParts): Detector {
  const { settings, random, self, view, now } = context;
  const { exchange, membership, suspicions } = parts;
  // Peers whose silence led to no verdict. The next turn of the round robin may be minutes away: they are asked again.
  const doubted = new Set<Member>();
  const turn = createRoundRobin(view, random);
  const probes = createProbes(context, parts, doubted);
  const relay = createRelay(context, exchange, probes.gone);

  /** When a doubted peer is suspect by age alone: so long after its last sign of life. */
  const ageAtMs = (member: Member): number =>
    member.status === "alive" ? (doubtOf(member) ?? Number.POSITIVE_INFINITY) + settings.failureTimeoutMs : Infinity;

  const askAgain = (): void => {
    let left = MAX_DOUBTED;
    for (const member of doubted) {
      if (member.status !== "alive" || doubtOf(member) === null) doubted.delete(member);
      else if (left-- > 0) probes.begin(member);
    }
  };

  return {
    round: () => {
      askAgain();
      let wanted = Math.min(settings.gossipFanout, view.live.length);
      for (let tries = 2 * wanted; tries > 0 && wanted > 0; tries -= 1) {
        const peer = turn.next();
        if (peer === null || probes.has(peer.id)) continue;
        probes.begin(peer);
        wanted -= 1;
      }
    },
    arrived: turn.arrived,
    suspected: (member) => {
      const { failedAtMs } = view.contact(member);
      const isOurs = member.accusers.some((accuser) => accuser.id === self.id);
      if (!isOurs && now() - failedAtMs < FRESH_FAILURE_MS) membership.accuse(member, false);
      const refusals = member.accusers.filter((accuser) => accuser.refused).length;
      const isProofWanted = refusals > 0 && refusals < refusalsNeeded(suspicions.alive());
      if (!isOurs && isProofWanted) probes.begin(member);
      else if (random() * view.size() < TELLERS) exchange.gossip(member, false);
    },
    relay: relay.run,
    due: (nowMs) => {
      probes.due(nowMs);
      for (const member of doubted) if (ageAtMs(member) <= nowMs) membership.accuse(member, false);
      relay.due(nowMs);
    },
    nextAtMs: () => {
      let next = Math.min(probes.nextAtMs(), relay.nextAtMs());
      for (const member of doubted) next = Math.min(next, ageAtMs(member));
      return next;
    },
    stalled: (lateMs) => {
      probes.clear();
      relay.stalled();
      for (const { contact } of view.live) {
        if (contact !== null && contact.doubtAtMs !== null) contact.doubtAtMs += lateMs;
      }
    },
    reset: () => {
      probes.clear();
      doubted.clear();
      turn.reset();
    },
    noteFailure: (member, result) => {
      if (!result.ok && result.reason === "refused") probes.gone(member);
    },
  };
}

function doubtOf({ contact }: Member): number | null {
  return contact === null ? null : contact.doubtAtMs;
}
