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
import {
  type Accuser,
  compareClaims,
  joinAccusers,
  type MemberRecord,
  mergeRecords,
  NO_ACCUSERS,
  type Verdict,
} from "./record.ts";
import { accusersNeeded, type Suspicions } from "./suspicion.ts";
import type { Member } from "./view.ts";

/** What others do when the view changes. */
export interface MembershipHooks {
  /** A member became live. */
  arrived(member: Member): void;
  /** A live member says something new of itself. */
  stated(member: Member): void;
  /** A suspicion is new to this node. */
  suspected(member: Member): void;
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
  const { view, self, signer, now, log } = context;
  const challenged = new Map<string, number>();

  const apply = (id: string, record: MemberRecord, bornAtMs: number): boolean => {
    const before = view.get(id);
    const merged = before === undefined ? record : mergeRecords(before, record);
    if (before !== undefined && merged === before) {
      before.bornAtMs = record.claim.boot === before.claim.boot ? Math.min(before.bornAtMs, bornAtMs) : before.bornAtMs;
      return false;
    }
    const was = before === undefined ? null : { status: before.status, claim: before.claim, accusers: before.accusers };
    const member = view.put(merged, bornAtMs, now());
    if (member === null) {
      log("warn", "mesh_full", { node: id });
      return false;
    }
    const claimChanged = was?.claim !== member.claim;
    const verdictChanged = was?.status !== member.status || was.accusers !== member.accusers;
    if (claimChanged && was !== null) log("debug", "mesh_claim", { node: id, version: member.claim.version });
    dissemination.note(id, { claim: claimChanged, verdict: verdictChanged && member.status !== "alive" });
    follow(member, was);
    context.changed();
    return true;
  };

  /** What follows from a change of a member. */
  const follow = (member: Member, was: MemberRecord | null): void => {
    const isLive = member.slot >= 0;
    const wasLive = was?.status === "alive" || was?.status === "suspect";
    if (member.status !== was?.status)
      log("info", `mesh_${member.status}`, { node: member.id, was: was?.status ?? null });
    if (member.status === "suspect") {
      if (suspicions.hear(member)) hooks.suspected(member);
    } else suspicions.clear(member.id);
    if (isLive && !wasLive) {
      if (was?.status === "dead" && was.claim.boot === member.claim.boot) revive(member);
      hooks.arrived(member);
    }
    if (isLive && was?.claim !== member.claim) hooks.stated(member);
  };

  const revive = (member: Member): void => {
    const contact = view.contact(member);
    const halves = (now() - contact.revivedAtMs) / context.settings.probationHalfLifeMs;
    contact.revivals = Math.floor(contact.revivals * 2 ** -halves) + 1;
    contact.revivedAtMs = now();
  };

  /** M1: asks the address itself, then takes the claim from whoever answers there. */
  const challenge = ({ claim, ageMs }: ClaimNews): void => {
    const asked = challenged.get(claim.id);
    if (asked !== undefined && now() - asked < context.settings.directTimeoutMs) return;
    challenged.delete(claim.id);
    challenged.set(claim.id, now());
    const [oldest] = challenged.keys();
    if (challenged.size > MAX_CHALLENGES && oldest !== undefined) challenged.delete(oldest);
    const bornAtMs = now() - ageMs;
    const own = self.own(now(), false);
    context.ask(
      { id: claim.id, address: claim.meta.address },
      { kind: "heartbeat", own, verdict: null, relay: null },
      (result) => {
        if (result.ok && result.id === claim.id && result.boot === claim.boot && result.reply.kind === "heartbeat")
          apply(claim.id, recordOf(claim), bornAtMs);
        else log("warn", "mesh_address_unproven", { node: claim.id, address: claim.meta.address });
      },
    );
  };

  /** True when a claim may be believed: signed, and by the key that the id has had. */
  const isGenuine = (claim: ClaimNews["claim"], member: Member | undefined): boolean => {
    const pinned = member?.claim.key ?? claim.key;
    if (claim.key === pinned && signer.verifyClaim(claim)) return true;
    log("warn", "mesh_forged_claim", { node: claim.id });
    return false;
  };

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
    if (!isGenuine(claim, member)) return true;
    const isMoved = member === undefined || member.claim.meta.address !== claim.meta.address;
    if (from === claim.id && isMoved && !claim.left) {
      challenge(news);
      return true;
    }
    return !apply(claim.id, recordOf(claim), now() - news.ageMs);
  };

  /** The accusers of a verdict that are new and signed rightly. */
  const genuineAccusers = (verdict: Verdict, known: readonly Accuser[]): readonly Accuser[] =>
    verdict.accusers.filter((accuser) => {
      if (known.some((one) => one.id === accuser.id && one.refused === accuser.refused)) return true;
      const key = accuser.id === self.id ? self.claim().key : view.get(accuser.id)?.claim.key;
      return key !== undefined && signer.verifyAccusation(verdict, accuser, key);
    });

  /** M2. */
  const believable = (
    verdict: Verdict,
    member: Member,
    accusers: number,
    by: "news" | "repair",
  ): MemberRecord["status"] => {
    if (verdict.status === "left") return member.status === "dead" ? "left" : "suspect";
    if (verdict.status === "suspect" || member.status === "dead") return verdict.status;
    return by === "news" && accusers >= accusersNeeded(view.size(), suspicions.alive()) ? "dead" : "suspect";
  };

  const hearVerdict = (verdict: Verdict, by: "news" | "repair"): boolean => {
    if (verdict.id === self.id) {
      const { boot, incarnation, version } = self.claim();
      if (verdict.boot !== boot || self.standing() !== "in") return true;
      if (verdict.status === "left" && genuineAccusers(verdict, NO_ACCUSERS).length > 0) hooks.ousted("removed");
      else if (verdict.incarnation >= incarnation) hooks.accused(verdict.incarnation, version);
      return true;
    }
    const member = view.get(verdict.id);
    if (member === undefined) return true;
    const { boot, incarnation } = member.claim;
    if (verdict.boot !== boot || verdict.incarnation !== incarnation || member.status === "left") return true;
    const accusers = genuineAccusers(verdict, member.accusers);
    if (accusers.length === 0) return true;
    const all = joinAccusers(member.accusers, accusers);
    const status = believable(verdict, member, all.length, by);
    return !apply(verdict.id, { claim: member.claim, status, accusers: all }, member.bornAtMs);
  };

  return {
    hearClaim,
    hearVerdict,
    hearRecord: (record, by, from) => {
      const { claim, status, accusers, ageMs } = record;
      const isNew = claim.id !== self.id && view.get(claim.id) === undefined;
      if (isNew && isGenuine(claim, undefined)) apply(claim.id, { claim, status, accusers }, now() - ageMs);
      else hearClaim({ claim, ageMs }, from);
      if (isNew || status === "alive" || claim.left) return;
      hearVerdict(
        { id: claim.id, boot: claim.boot, incarnation: claim.incarnation, status, accusers },
        by === "join" ? "news" : by,
      );
    },
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

/** Challenges remembered, so that one node is not asked twice at once. */
const MAX_CHALLENGES = 1_024;

function recordOf(claim: ClaimNews["claim"]): MemberRecord {
  return { claim, status: claim.left ? "left" : "alive", accusers: NO_ACCUSERS };
}
