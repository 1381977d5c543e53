/**
 * What every exchange says and hears, whichever way it goes: each node's word on itself, news, what one holds against the
 * other, and the lease.
 */
import type { Answered, Context } from "./context.ts";
import type { Election } from "./election.ts";
import type { Membership } from "./membership.ts";
import type { GossipBody, News, OwnState, Repair } from "./messages.ts";
import type { Verdict } from "./record.ts";
import type { SelfHealth } from "./self-health.ts";
import type { Member } from "./view.ts";

/** Who speaks. */
export interface Sender {
  readonly id: string;
  readonly boot: number;
}

/** What was heard of a message. */
export interface Heard {
  /** For each claim, then each verdict: was it known? */
  readonly known: readonly boolean[];
  /** The sender's claim here is old or missing. */
  readonly introduce: boolean;
}

/** Saying and hearing. */
export interface Speech {
  /** This node's word on itself. */
  readonly own: () => OwnState;
  /** Takes in a peer's word on itself: a sign of life. True when its claim here is old or missing. */
  readonly meet: (from: Sender, own: OwnState, member?: Member) => boolean;
  readonly body: (verdict: Verdict | null, news: News, repair: Repair | null) => GossipBody;
  readonly hear: (message: GossipBody, from: Sender, member: Member | undefined) => Heard;
  /** What this node holds against a peer. */
  readonly verdictOn: (from: Sender) => Verdict | null;
  /** Takes in the answer to a heartbeat. */
  readonly hearReply: (result: Answered) => void;
}

/** The parts that are told and heard. */
export interface SpeechParts {
  readonly membership: Membership;
  readonly election: Election;
  readonly health: SelfHealth;
}

/** A main loop that is this late makes a node degraded: requests for the node itself wait behind it. */
const LOOP_DELAY_MS = 1_000;

/** Speech of one node. */
export function createSpeech(context: Context, { membership, election, health }: SpeechParts): Speech {
  const { self, view, now } = context;

  const own = (): OwnState =>
    self.own(now(), health.lonely(view.live.length, now()) || self.load().loopDelayMs > LOOP_DELAY_MS);

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
  const hear = (message: GossipBody, from: Sender, member: Member | undefined): Heard => {
    const isOld = meet(from, message.own, member);
    const { claims, verdicts } = message.news;
    const known: boolean[] = [];
    for (const claim of claims) known.push(membership.hearClaim(claim, from.id));
    for (const verdict of verdicts) known.push(membership.hearVerdict(verdict, "news"));
    if (message.verdict !== null) membership.hearVerdict(message.verdict, "news");
    if (message.lease !== null) election.hear(message.lease);
    return { known, introduce: isOld && !claims.some((one) => one.claim.id === from.id) };
  };

  return {
    own,
    meet,
    body,
    hear,
    verdictOn: ({ id, boot }) => verdictOn(view.get(id), boot),
    hearReply: (result) => {
      if (!result.ok || result.reply.kind !== "heartbeat") return;
      meet(result, result.reply.own);
      if (result.reply.verdict !== null) membership.hearVerdict(result.reply.verdict, "news");
    },
  };
}

/** What a node holds against the life `boot` of a member; null when it is alive here, or another life is. */
export function verdictOn(member: Member | undefined, boot: number): Verdict | null {
  if (member === undefined || member.status === "alive" || member.claim.boot !== boot) return null;
  const { id, claim, status, accusers } = member;
  return { id, boot, incarnation: claim.incarnation, status, accusers };
}
