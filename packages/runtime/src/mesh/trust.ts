/** What is believed: claims by their owner's key, accusations by their accuser's, addresses by an answer from there. */
import type { Context } from "./context.ts";
import type { ClaimNews } from "./messages.ts";
import type { Accuser, Claim, Verdict } from "./record.ts";
import type { Member } from "./view.ts";

/** Challenges remembered, so that one node is not asked twice at once. */
const MAX_CHALLENGES = 1_024;

/** True when a claim may be believed: signed, and by the key that the id has had. */
export function isGenuine({ signer, log }: Context, claim: Claim, member: Member | undefined): boolean {
  const pinned = member?.claim.key ?? claim.key;
  if (claim.key === pinned && signer.verifyClaim(claim)) return true;
  log("warn", "mesh_forged_claim", { node: claim.id });
  return false;
}

/** The accusers of a verdict that are signed rightly; those that are `known` stay the objects they were. */
export function genuineAccusers(
  { signer, self, view }: Context,
  verdict: Verdict,
  known: readonly Accuser[],
): readonly Accuser[] {
  return verdict.accusers.flatMap((accuser) => {
    const same = known.find((one) => one.id === accuser.id && one.refused === accuser.refused);
    if (same !== undefined) return [same];
    const key = accuser.id === self.id ? self.claim().key : view.get(accuser.id)?.claim.key;
    return key !== undefined && signer.verifyAccusation(verdict, accuser, key) ? [accuser] : [];
  });
}

/** M1: asks the address that a claim names; `proven` is called when its owner answers there. I10: bounded. */
export function createChallenges(
  context: Context,
  proven: (news: ClaimNews, bornAtMs: number) => void,
): (news: ClaimNews) => void {
  const { settings, self, now, log } = context;
  const challenged = new Map<string, number>();
  return (news) => {
    const { id, boot, meta } = news.claim;
    const asked = challenged.get(id);
    if (asked !== undefined && now() - asked < settings.directTimeoutMs) return;
    challenged.delete(id);
    challenged.set(id, now());
    const [oldest] = challenged.keys();
    if (challenged.size > MAX_CHALLENGES && oldest !== undefined) challenged.delete(oldest);
    const bornAtMs = now() - news.ageMs;
    const own = self.own(now(), false);
    context.ask({ id, address: meta.address }, { kind: "heartbeat", own, verdict: null, relay: null }, (result) => {
      if (result.ok && result.id === id && result.boot === boot && result.reply.kind === "heartbeat")
        proven(news, bornAtMs);
      else log("warn", "mesh_address_unproven", { node: id, address: meta.address });
    });
  };
}
