/**
 * The probes in flight, from the exchange that nobody answers to the verdict.
 *
 * I11. A stall voids them: their answers may lie unread in our own sockets.
 * P1.  An accusation takes a refusal, or silence towards us and, where there are helpers, towards them; or age.
 * P2.  At most one probe of a member is in flight.
 */
import type { Answered, Context } from "./context.ts";
import type { DetectorParts } from "./detector.ts";
import type { HeartbeatRequest } from "./messages.ts";
import type { Member } from "./view.ts";

/** A member that was asked. */
export interface Probe {
  readonly member: Member;
  readonly boot: number;
  readonly startedAtMs: number;
  /** `direct`: waiting for the peer. `relay`: for helpers. `store`: silence is sure, our own senses are not. */
  stage: "direct" | "relay" | "store";
  dueAtMs: number;
  asked: number;
  nacks: number;
}

/** Probes of one node. */
export interface Probes {
  has(id: string): boolean;
  begin(member: Member): void;
  /** A host says that the member is not there. */
  readonly gone: (member: Member) => void;
  due(nowMs: number): void;
  nextAtMs(): number;
  clear(): void;
}

/** `doubted` is told of each member that did not answer in time. */
export function createProbes(context: Context, parts: DetectorParts, doubted: Set<Member>): Probes {
  const { settings, view, now } = context;
  const { exchange, membership, health } = parts;
  const probes = new Map<string, Probe>();
  const isCurrent = (probe: Probe): boolean => probes.get(probe.member.id) === probe;
  const { accuse, judge } = createJudge(context, parts, probes);

  const answered = (probe: Probe): void => {
    if (!isCurrent(probe)) return;
    probes.delete(probe.member.id);
    if (probe.stage === "direct") health.probed(true);
    const contact = view.contact(probe.member);
    contact.rttMs = Math.max(now() - probe.startedAtMs, contact.rttMs * 0.9);
  };

  const fail = (probe: Probe, result: Answered): void => {
    // Another node answers there, or nothing listens: the process is gone from that address.
    if (result.ok || result.reason === "refused") {
      health.refused(now());
      accuse(probe, true);
    } else if (probe.stage === "direct") seekHelp(probe);
  };

  const seekHelp = (probe: Probe): void => {
    health.probed(false);
    doubted.add(probe.member);
    const contact = view.contact(probe.member);
    // A peer that was not asked for long is not to blame for its silence.
    const askedAtMs = probe.startedAtMs - settings.gossipIntervalMs;
    contact.doubtAtMs ??= Math.max(contact.heardAtMs, probe.member.changedAtMs, askedAtMs);
    probe.stage = "relay";
    probe.dueAtMs = now() + settings.relayTimeoutMs;
    askHelpers(context, parts, probe, (word) => {
      if (!isCurrent(probe)) return;
      if (word === "ack") probes.delete(probe.member.id);
      else if (word === "refused") accuse(probe, false);
      else if (word === "nack") probe.nacks += 1;
      if (word === "nack" && probe.nacks === probe.asked) judge(probe);
    });
    if (probe.asked === 0) judge(probe);
  };

  return {
    has: (id) => probes.has(id),
    begin: (member) => {
      if (probes.has(member.id)) return;
      const probe = newProbe(context, member);
      probes.set(member.id, probe);
      exchange.gossip(member, true, (result) => {
        if (result.ok && result.id === member.id) answered(probe);
        else if (isCurrent(probe)) fail(probe, result);
      });
    },
    gone: (member) => {
      health.refused(now());
      view.contact(member).failedAtMs = now();
      membership.accuse(member, true);
    },
    due: (nowMs) => {
      for (const probe of probes.values()) {
        if (probe.dueAtMs > nowMs) continue;
        if (probe.stage === "direct") seekHelp(probe);
        else if (probe.stage === "relay") judge(probe);
        else probes.delete(probe.member.id);
      }
    },
    nextAtMs: () => {
      let next = Number.POSITIVE_INFINITY;
      for (const { dueAtMs } of probes.values()) if (dueAtMs < next) next = dueAtMs;
      return next;
    },
    clear: () => probes.clear(),
  };
}

/** Ends probes with a verdict, or without. */
function createJudge(
  { settings, view, now }: Context,
  { membership, health, suspicions, lookAtStore }: DetectorParts,
  probes: Map<string, Probe>,
): { readonly accuse: (probe: Probe, refused: boolean) => void; readonly judge: (probe: Probe) => void } {
  const accuse = (probe: Probe, refused: boolean): void => {
    const { member } = probe;
    probes.delete(member.id);
    if (member.claim.boot !== probe.boot || member.slot < 0) return;
    view.contact(member).failedAtMs = now();
    membership.accuse(member, refused);
  };

  /** Nobody got an answer. H1 and H2 decide whether that is the peer's fault; without a verdict the doubt stays. */
  const judge = (probe: Probe): void => {
    const { member, startedAtMs } = probe;
    const wanted = Math.min(2, Math.max(1, suspicions.alive() - 1));
    if (!health.credible() && probe.nacks < wanted) probes.delete(member.id);
    else if (health.heardSince(startedAtMs, member.id)) accuse(probe, false);
    else if (probe.stage === "store" || !lookAtStore((isUp) => seen(probe, isUp))) probes.delete(member.id);
    else {
      probe.stage = "store";
      probe.dueAtMs = now() + settings.relayTimeoutMs;
    }
  };
  const seen = (probe: Probe, isUp: boolean): void => {
    if (isUp) health.storeAnswered(now());
    if (probes.get(probe.member.id) === probe) judge(probe);
  };

  return { accuse, judge };
}

function newProbe({ settings, view, now }: Context, member: Member): Probe {
  const { rttMs } = view.contact(member);
  const timeoutMs = Math.min(settings.directTimeoutMaxMs, Math.max(settings.directTimeoutMs, 4 * rttMs));
  return {
    member,
    boot: member.claim.boot,
    startedAtMs: now(),
    stage: "direct",
    dueAtMs: now() + timeoutMs,
    asked: 0,
    nacks: 0,
  };
}

/** Asks helpers to probe the member; `heard` is told what each says, if it says anything. */
function askHelpers(
  { settings, view, random, ask }: Context,
  { exchange }: DetectorParts,
  probe: Probe,
  heard: (word: "ack" | "nack" | "refused" | "unknown" | null) => void,
): void {
  const asked = new Set<Member>([probe.member]);
  while (probe.asked < settings.relayHelpers) {
    const helper = view.pick(random, (one) => asked.has(one) || one.status !== "alive");
    if (helper === null) return;
    asked.add(helper);
    probe.asked += 1;
    const message: HeartbeatRequest = {
      kind: "heartbeat",
      own: exchange.own(),
      verdict: exchange.verdictOn({ id: helper.id, boot: helper.claim.boot }),
      relay: { id: probe.member.id, waitMs: settings.relayTimeoutMs },
    };
    ask({ id: helper.id, address: helper.claim.meta.address }, message, (result) => {
      exchange.hearReply(result);
      if (result.ok && result.reply.kind === "heartbeat") heard(result.reply.relay);
    });
  }
}
