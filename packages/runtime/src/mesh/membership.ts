/**
 * What is believed of what is heard: checks signatures, merges records into the view, and sets off what follows from a
 * change.
 *
 * I7. A record without a right signature changes nothing. The key that first came with an id stays the id's key.
 * M1. An address that a node says of itself enters the view only after that node has answered there.
 * M2. Dead that comes by repair, or with too few accusers, or about somebody who was not dead to be removed, counts as
 *     suspicion only.
 */
import type { Context } from "./context.ts";
import type { Dissemination } from "./dissemination.ts";
import type { ClaimNews, RecordNews } from "./messages.ts";
import { compareClaims, joinAccusers, type MemberRecord, mergeRecords, NO_ACCUSERS, type Verdict } from "./record.ts";
import { createRegister, type Register, type RegisterHooks } from "./register.ts";
import { accusersNeeded, type Suspicions } from "./suspicion.ts";
import { createChallenges, genuineAccusers, isGenuine } from "./trust.ts";
import type { Member } from "./view.ts";

/** What others do when the view changes. */
export interface MembershipHooks extends RegisterHooks {
  /** Others hold this node for suspect or dead, or know of a claim of its own that is ahead. */
  accused(incarnation: number, version: number): void;
  /** Another life of this node is in the mesh, or somebody removed it. */
  ousted(reason: "removed" | "displaced"): void;
}

/** The gate of the view. */
export interface Membership {
  /** True when it told nothing new. `from`: who sent it. */
  hearClaim(news: ClaimNews, from: string): boolean;
  /** True when it told nothing new. */
  hearVerdict(verdict: Verdict, by: "news" | "repair"): boolean;
  hearRecord(record: RecordNews, by: "join" | "repair", from: string): void;
  /** This node's own accusation. */
  accuse(member: Member, refused: boolean): void;
  /** The suspicion's time is over. */
  declareDead(member: Member): void;
  /** An operator forgets a dead node. False when it is not dead. */
  remove(id: string): boolean;
}

/** The gate of `context.view`. */
export function createMembership(
  context: Context,
  suspicions: Suspicions,
  dissemination: Dissemination,
  hooks: MembershipHooks,
): Membership {
  const { view, self, signer, now } = context;
  const { apply } = createRegister(context, suspicions, dissemination, hooks);
  const challenge = createChallenges(context, ({ claim }, bornAtMs) => apply(claim.id, recordOf(claim), bornAtMs));

  const hearOfSelf = (claim: ClaimNews["claim"]): boolean => {
    const mine = self.claim();
    if (compareClaims(claim, mine) <= 0 || self.standing() !== "in") return true;
    if (!signer.verifyClaim(claim) || claim.key !== mine.key) return true;
    if (claim.boot > mine.boot) hooks.ousted("displaced");
    else hooks.accused(claim.incarnation, claim.version);
    return true;
  };

  const hearClaim = (news: ClaimNews, from: string): boolean => {
    const { claim } = news;
    if (claim.id === self.id) return hearOfSelf(claim);
    const member = view.get(claim.id);
    if (member !== undefined && mergeRecords(member, recordOf(claim)) === member) return true;
    if (!isGenuine(context, claim, member)) return true;
    const isMoved = member === undefined || member.claim.meta.address !== claim.meta.address;
    if (from === claim.id && isMoved && !claim.left) {
      challenge(news);
      return true;
    }
    return !apply(claim.id, recordOf(claim), now() - news.ageMs);
  };

  const hearVerdict = (verdict: Verdict, by: "news" | "repair"): boolean => {
    if (verdict.id === self.id) {
      const { boot, incarnation, version } = self.claim();
      if (verdict.boot !== boot || self.standing() !== "in") return true;
      if (verdict.status === "left" && genuineAccusers(context, verdict, NO_ACCUSERS).length > 0)
        hooks.ousted("removed");
      else if (verdict.incarnation >= incarnation) hooks.accused(verdict.incarnation, version);
      return true;
    }
    const member = view.get(verdict.id);
    if (member === undefined) return true;
    const { boot, incarnation } = member.claim;
    if (verdict.boot !== boot || verdict.incarnation !== incarnation || member.status === "left") return true;
    const accusers = genuineAccusers(context, verdict, member.accusers);
    if (accusers.length === 0) return true;
    const all = joinAccusers(member.accusers, accusers);
    const needed = accusersNeeded(view.size(), suspicions.alive());
    const status = believable(verdict, member, all.length, needed, by);
    return !apply(verdict.id, { claim: member.claim, status, accusers: all }, member.bornAtMs);
  };

  return {
    hearClaim,
    hearVerdict,
    hearRecord: (record, by, from) => {
      const { claim, status, accusers, ageMs } = record;
      const isNew = claim.id !== self.id && view.get(claim.id) === undefined;
      if (isNew && isGenuine(context, claim, undefined)) apply(claim.id, { claim, status, accusers }, now() - ageMs);
      else hearClaim({ claim, ageMs }, from);
      if (isNew || status === "alive" || claim.left) return;
      hearVerdict(
        { id: claim.id, boot: claim.boot, incarnation: claim.incarnation, status, accusers },
        by === "join" ? "news" : by,
      );
    },
    ...createStatements(context, apply),
  };
}

/** What this node says of others by itself. */
function createStatements(
  { self, signer, view, log }: Context,
  apply: Register["apply"],
): Pick<Membership, "accuse" | "declareDead" | "remove"> {
  return {
    accuse: (member, refused) => {
      if (member.slot < 0) return;
      log("debug", "mesh_accuse", { node: member.id, refused });
      const { claim } = member;
      const accuser = signer.signAccusation(claim, { id: self.id, boot: self.claim().boot, refused });
      apply(
        claim.id,
        { claim, status: "suspect", accusers: joinAccusers(member.accusers, [accuser]) },
        member.bornAtMs,
      );
    },
    declareDead: (member) => {
      apply(member.id, { claim: member.claim, status: "dead", accusers: member.accusers }, member.bornAtMs);
    },
    remove: (id) => {
      const member = view.get(id);
      if (member?.status !== "dead") return false;
      const remover = signer.signAccusation(member.claim, { id: self.id, boot: self.claim().boot, refused: false });
      return apply(id, { claim: member.claim, status: "left", accusers: [remover] }, member.bornAtMs);
    },
  };
}

/** M2: the status that a verdict may give a member. `accusers`: how many vouch for it, the known ones included. */
function believable(
  verdict: Verdict,
  member: Member,
  accusers: number,
  needed: number,
  by: "news" | "repair",
): MemberRecord["status"] {
  if (verdict.status === "left") return member.status === "dead" ? "left" : "suspect";
  if (verdict.status === "suspect" || member.status === "dead") return verdict.status;
  return by === "news" && accusers >= needed ? "dead" : "suspect";
}

function recordOf(claim: ClaimNews["claim"]): MemberRecord {
  return { claim, status: claim.left ? "left" : "alive", accusers: NO_ACCUSERS };
}
