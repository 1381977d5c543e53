/**
 * Says and hears gossip. One place builds what goes into a message and one takes in what comes, for both directions, so
 * that an answer carries as much as a question (push and pull).
 */
import type { Answered, Context } from "./context.ts";
import type { Batch, Dissemination } from "./dissemination.ts";
import type { Election } from "./election.ts";
import type { Membership } from "./membership.ts";
import type { GossipBody, GossipRequest, MeshReply, News, OwnState, Repair } from "./messages.ts";
import type { Verdict } from "./record.ts";
import type { Repairs } from "./repair.ts";
import type { SelfHealth } from "./self-health.ts";
import type { Member } from "./view.ts";

/** Gossip in both directions. */
export interface Exchange {
  /** This node's word on itself. */
  own(): OwnState;
  /** Gossips with a peer; `done` is told how it ended, after the answer was taken in. */
  gossip(peer: Member, round: boolean, done?: (result: Answered) => void): void;
  answer(request: GossipRequest, from: Sender): MeshReply;
  /** Takes in a peer's word on itself: a sign of life. True when its claim here is old or missing. */
  meet(from: Sender, own: OwnState): boolean;
  /** What this node holds against a peer. */
  verdictOn(from: Sender): Verdict | null;
  /** Takes the sign of life in an answer of another kind, and what the peer holds against this node. */
  hearReply(result: Answered): void;
}

/** Who speaks. */
export interface Sender {
  readonly id: string;
  readonly boot: number;
}

/** A main loop that is this late makes a node degraded: requests for the node itself wait behind it. */
const LOOP_DELAY_MS = 1_000;

/** The parts that gossip feeds. */
export interface ExchangeParts {
  readonly membership: Membership;
  readonly dissemination: Dissemination;
  readonly election: Election;
  readonly repairs: Repairs;
  readonly health: SelfHealth;
}

/** Gossip of one node. */
export function createExchange(context: Context, parts: ExchangeParts): Exchange {
  const { self, view, now, settings } = context;
  const { membership, dissemination, election, repairs, health } = parts;
  let repairedAtMs = Number.NEGATIVE_INFINITY;

  const isLonely = (): boolean => view.live.length > 0 && health.lonely(now());
  const own = (): OwnState => self.own(now(), isLonely() || self.load().loopDelayMs > LOOP_DELAY_MS);

  const meet = (from: Sender, state: OwnState, member = view.get(from.id)): boolean => {
    health.heard(from.id, now());
    if (member === undefined || member.claim.boot < from.boot) return true;
    if (member.claim.boot > from.boot) return false;
    const contact = view.contact(member);
    contact.heardAtMs = now();
    contact.failedAtMs = Number.NEGATIVE_INFINITY;
    contact.doubtAtMs = null;
    contact.load = state.load;
    contact.degraded = state.degraded;
    member.bornAtMs = Math.min(member.bornAtMs, now() - state.ageMs);
    return state.incarnation > member.claim.incarnation || state.version > member.claim.version;
  };

  const body = (verdict: Verdict | null, news: News, repair: Repair | null): GossipBody => ({
    own: own(),
    hash: view.hash(),
    news,
    verdict,
    lease: election.notice(),
    repair,
  });

  /** Takes in what both directions carry. Returns what was known of the news, and whether the peer is a stranger. */
  const hear = (
    message: GossipBody,
    from: Sender,
    member: Member | undefined,
  ): { readonly known: readonly boolean[]; readonly introduce: boolean } => {
    const isOld = meet(from, message.own, member);
    const { claims, verdicts } = message.news;
    const known: boolean[] = [];
    for (const claim of claims) known.push(membership.hearClaim(claim, from.id));
    for (const verdict of verdicts) known.push(membership.hearVerdict(verdict, "news"));
    if (message.verdict !== null) membership.hearVerdict(message.verdict, "news");
    if (message.lease !== null) election.hear(message.lease);
    return { known, introduce: isOld && !claims.some((one) => one.claim.id === from.id) };
  };

  /** The claim of an earlier life's later one: tells a node that lives on that it was replaced. */
  const withSuccessor = (news: News, from: Sender, member: Member | undefined): News => {
    if (member === undefined || member.claim.boot <= from.boot) return news;
    return { ...news, claims: [...news.claims, { claim: member.claim, ageMs: 0 }] };
  };

  const send = (
    peer: Member,
    batch: Batch,
    options: { readonly round: boolean; readonly repair: Repair | null; readonly done?: (result: Answered) => void },
  ): void => {
    const to = { id: peer.id, address: peer.claim.meta.address };
    const content = body(verdictOn(peer, peer.claim.boot), batch.news, options.repair);
    context.ask(to, { kind: "gossip", round: options.round, ...content }, (result) => {
      if (result.ok && result.reply.kind === "gossip") {
        const { reply } = result;
        dissemination.feedback(batch, reply.known);
        hear(reply, result, result.id === peer.id ? peer : undefined);
        const follow = continueRepair(reply.repair, result.id);
        if (reply.introduce) send(peer, withOwnClaim(), { round: false, repair: follow });
        else if (follow !== null) send(peer, EMPTY, { round: false, repair: follow });
      }
      options.done?.(result);
    });
  };

  const withOwnClaim = (): Batch => {
    const claim = self.claim();
    return { news: { claims: [{ claim, ageMs: own().ageMs }], verdicts: [] }, ids: [] };
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

  const isSame = (message: GossipBody): boolean => {
    const [high, low] = view.hash();
    return message.hash[0] === high && message.hash[1] === low;
  };

  return {
    own,
    meet,
    verdictOn: ({ id, boot }) => verdictOn(view.get(id), boot),
    gossip: (peer, round, done) => {
      const options = { round, repair: null, ...(done === undefined ? {} : { done }) };
      send(peer, dissemination.batch(), options);
    },
    answer: (request, from) => {
      const before = view.get(from.id);
      const { known, introduce } = hear(request, from, before);
      const repair =
        request.repair === null
          ? request.round && !isSame(request)
            ? repairs.open()
            : null
          : repairs.step(request.repair, from.id);
      const { news } = dissemination.batch(request.news);
      // What was heard may have made the sender known.
      const member = before ?? view.get(from.id);
      const content = body(verdictOn(member, from.boot), withSuccessor(news, from, member), repair);
      return { kind: "gossip", known, introduce, ...content };
    },
    hearReply: (result) => {
      if (!result.ok || result.reply.kind !== "heartbeat") return;
      meet(result, result.reply.own);
      if (result.reply.verdict !== null) membership.hearVerdict(result.reply.verdict, "news");
    },
  };
}

function verdictOn(member: Member | undefined, boot: number): Verdict | null {
  if (member === undefined || member.status === "alive" || member.claim.boot !== boot) return null;
  return {
    id: member.id,
    boot,
    incarnation: member.claim.incarnation,
    status: member.status,
    accusers: member.accusers,
  };
}

const EMPTY: Batch = { news: { claims: [], verdicts: [] }, ids: [] };
