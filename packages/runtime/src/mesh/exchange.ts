/**
 * Gossip: an exchange whose answer carries as much as its question (push and pull), and the repair of views that it
 * begins when hashes differ.
 */
import type { Answered, Context } from "./context.ts";
import type { Batch, Dissemination } from "./dissemination.ts";
import type { GossipBody, GossipRequest, MeshReply, News, Repair } from "./messages.ts";
import type { Repairs } from "./repair.ts";
import { type Sender, type Speech, verdictOn } from "./speech.ts";
import type { Member } from "./view.ts";

/** Gossip in both directions. */
export interface Exchange extends Pick<Speech, "own" | "meet" | "verdictOn" | "hearReply"> {
  /** Gossips with a peer; `done` is told how it ended, after the answer was taken in. */
  gossip(peer: Member, round: boolean, done?: (result: Answered) => void): void;
  answer(request: GossipRequest, from: Sender): MeshReply;
}

/** What gossip is made of. */
export interface ExchangeParts {
  readonly speech: Speech;
  readonly dissemination: Dissemination;
  readonly repairs: Repairs;
}

/** What goes with one gossip request. */
interface Letter {
  readonly round: boolean;
  readonly repair: Repair | null;
  readonly done?: ((result: Answered) => void) | undefined;
}

/** Gossip of one node. */
export function createExchange(context: Context, { speech, dissemination, repairs }: ExchangeParts): Exchange {
  const { self, view, now, settings } = context;
  let repairedAtMs = Number.NEGATIVE_INFINITY;

  const send = (peer: Member, batch: Batch, { round, repair, done }: Letter): void => {
    const to = { id: peer.id, address: peer.claim.meta.address };
    const content = speech.body(verdictOn(peer, peer.claim.boot), batch.news, repair);
    context.ask(to, { kind: "gossip", round, ...content }, (result) => {
      if (result.ok && result.reply.kind === "gossip") {
        const { reply } = result;
        dissemination.feedback(batch, reply.known);
        speech.hear(reply, result, result.id === peer.id ? peer : undefined);
        const follow = continueRepair(reply.repair, result.id);
        if (reply.introduce) send(peer, ownClaim(), { round: false, repair: follow });
        else if (follow !== null) send(peer, EMPTY, { round: false, repair: follow });
      }
      done?.(result);
    });
  };

  const ownClaim = (): Batch => {
    const claim = self.claim();
    return { news: { claims: [{ claim, ageMs: speech.own().ageMs }], verdicts: [] }, ids: [] };
  };

  /** The next step of a repair that a peer's answer asks for. A new one is begun at most every `repairGapMs`. */
  const continueRepair = (repair: Repair | null, from: string): Repair | null => {
    if (repair === null) return null;
    if (repair.step === "buckets") {
      if (now() - repairedAtMs < settings.repairGapMs) return null;
      repairedAtMs = now();
    }
    return repairs.step(repair, from);
  };

  const answerRepair = (request: GossipRequest, from: string): Repair | null => {
    if (request.repair !== null) return repairs.step(request.repair, from);
    return request.round && !isSame(request) ? repairs.open() : null;
  };
  const isSame = (message: GossipBody): boolean => {
    const [high, low] = view.hash();
    return message.hash[0] === high && message.hash[1] === low;
  };

  return {
    own: speech.own,
    meet: speech.meet,
    verdictOn: speech.verdictOn,
    hearReply: speech.hearReply,
    gossip: (peer, round, done) => send(peer, dissemination.batch(), { round, repair: null, done }),
    answer: (request, from) => {
      const before = view.get(from.id);
      const { known, introduce } = speech.hear(request, from, before);
      const repair = answerRepair(request, from.id);
      const { news } = dissemination.batch(request.news);
      // What was heard may have made the sender known.
      const member = before ?? view.get(from.id);
      const content = speech.body(verdictOn(member, from.boot), withSuccessor(news, from, member), repair);
      return { kind: "gossip", known, introduce, ...content };
    },
  };
}

/** Adds the claim of the sender's later life, if there is one: tells a node that lives on that it was replaced. */
function withSuccessor(news: News, from: Sender, member: Member | undefined): News {
  if (member === undefined || member.claim.boot <= from.boot) return news;
  return { ...news, claims: [...news.claims, { claim: member.claim, ageMs: 0 }] };
}

const EMPTY: Batch = { news: { claims: [], verdicts: [] }, ids: [] };
