/** Puts merged records into the view, and sets off what follows from a change. */
import type { Context } from "./context.ts";
import type { Dissemination } from "./dissemination.ts";
import { type MemberRecord, mergeRecords } from "./record.ts";
import type { Suspicions } from "./suspicion.ts";
import type { Member } from "./view.ts";

/** What others do when a member changes. */
export interface RegisterHooks {
  /** A member became live. */
  arrived(member: Member): void;
  /** A live member says something new of itself. */
  stated(member: Member): void;
  /** A suspicion is new to this node. */
  suspected(member: Member): void;
}

/** The only way into the view. */
export interface Register {
  /** Merges a record. True when that changed anything. */
  readonly apply: (id: string, record: MemberRecord, bornAtMs: number) => boolean;
}

/** The register of `context.view`. */
export function createRegister(
  context: Context,
  suspicions: Suspicions,
  dissemination: Dissemination,
  hooks: RegisterHooks,
): Register {
  const { view, now, log } = context;

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

  return { apply };
}
