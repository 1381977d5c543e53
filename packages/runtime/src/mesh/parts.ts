/** Builds the parts of one node's core and ties what one finds out to what another does about it. */
import type { Context } from "./context.ts";
import { createDetector, type Detector } from "./detector.ts";
import { createDissemination, type Dissemination } from "./dissemination.ts";
import { createElection, type Election } from "./election.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import { createHealing, type Healing } from "./healing.ts";
import { createMembership, type Membership } from "./membership.ts";
import { settleName } from "./naming.ts";
import { createRepairs } from "./repair.ts";
import { createRequests, type Requests } from "./requests.ts";
import { createSelfHealth, type SelfHealth } from "./self-health.ts";
import { createSpeech } from "./speech.ts";
import { createSuspicions, type Suspicions } from "./suspicion.ts";

/** The parts that the core drives. */
export interface Parts {
  readonly health: SelfHealth;
  readonly suspicions: Suspicions;
  readonly dissemination: Dissemination;
  readonly election: Election;
  readonly membership: Membership;
  readonly exchange: Exchange;
  readonly detector: Detector;
  readonly healing: Healing;
  readonly requests: Requests;
}

/** The parts of the node of `context`, as of now. */
export function createParts(context: Context): Parts {
  const { self, view, now } = context;
  const health = createSelfHealth(context.settings, now());
  const suspicions = createSuspicions(context);
  const dissemination = createDissemination(context);
  const election = createElection(context, health, dissemination.nudge);

  const accused = (incarnation: number, version: number): void => {
    self.outdo(incarnation, version);
    context.log("info", "mesh_refuted", { incarnation: self.claim().incarnation });
    context.restate();
  };
  const ousted = (reason: "removed" | "displaced"): void => {
    election.resign();
    self.leave(reason);
    view.setSelf(null);
    context.emit({ kind: "out", reason });
    context.changed();
  };
  const membership = createMembership(context, suspicions, dissemination, {
    arrived: (member) => detector.arrived(member),
    stated: (member) => {
      const { name } = self.claim().meta;
      if (member.claim.meta.name === name && member.id < self.id) settleName(context, false);
    },
    suspected: (member) => detector.suspected(member),
    accused,
    ousted,
  });
  const repairs = createRepairs(context, membership, accused);
  const speech = createSpeech(context, { membership, election, health });
  const exchange = createExchange(context, { speech, dissemination, repairs });
  const lookAtStore = election.look;
  const detector = createDetector(context, { exchange, membership, suspicions, health, lookAtStore });
  const healing = createHealing(context, { exchange, membership, election });
  const requests = createRequests(context, { exchange, membership, election, detector, repairs });
  return { health, suspicions, dissemination, election, membership, exchange, detector, healing, requests };
}
