/**
 * From suspect to dead: slow, confirmed, refutable. The clock of a suspicion shortens as others confirm it (Lifeguard,
 * arXiv 1707.00788, with the constants of memberlist's LAN defaults).
 *
 * S1. A suspicion belongs to one boot and incarnation; a higher one ends it.
 * S2. More confirmations never lengthen a clock.
 * S3. Confirmations and accusers that are asked for never exceed what the members that are alive can give.
 * S4. From five members on, dead takes two accusers.
 */
import type { Context } from "./context.ts";
import type { MeshSettings } from "./settings.ts";
import type { Member } from "./view.ts";

/** What the length of a suspicion depends on. */
export interface Doubts {
  /** Live members, this node and the suspect included. */
  readonly live: number;
  /** Members that are alive and not suspect, this node included. */
  readonly alive: number;
  readonly accusers: number;
  readonly refusals: number;
}

/** Confirmations that can be had: the suspect and other suspects give none. */
export function confirmable(settings: MeshSettings, alive: number): number {
  return Math.max(0, Math.min(settings.confirmations, alive - 1));
}

/** Accusers that dead takes. */
export function accusersNeeded(live: number, alive: number): number {
  return live >= 5 ? Math.max(1, Math.min(2, alive)) : 1;
}

/** Refusals that make a suspicion short: the first and two more, where so many nodes can see for themselves. */
export function refusalsNeeded(alive: number): number {
  return Math.max(1, Math.min(3, alive));
}

/** How long after its beginning a suspicion becomes a death. Milliseconds. */
export function suspicionMs(settings: MeshSettings, doubts: Doubts): number {
  const least = settings.suspicionUnitMs * Math.max(1, Math.log10(doubts.live));
  const most = Math.max(least, settings.deadTimeoutMs - settings.failureTimeoutMs);
  const wanted = confirmable(settings, doubts.alive);
  // Nobody is left to confirm: a refusal is proof enough, silence may be our own.
  if (wanted === 0) return doubts.refusals > 0 ? least : most;
  const confirmed = Math.min(wanted, Math.max(0, doubts.accusers - 1));
  return Math.max(least, most - ((most - least) * Math.log(confirmed + 1)) / Math.log(wanted + 1));
}

interface Suspicion {
  readonly member: Member;
  readonly boot: number;
  readonly incarnation: number;
  startedAtMs: number;
  /** When refusals became enough; null before. */
  provenAtMs: number | null;
}

/** The suspicions of this node. I10: at most one for each live member. */
export interface Suspicions {
  count(): number;
  /** Members that are alive, this node included. */
  alive(): number;
  /** The member is suspect, or has more accusers now. True when the suspicion is new. */
  hear(member: Member): boolean;
  clear(id: string): void;
  nextAtMs(): number;
  /** Suspicions whose time is over. */
  due(nowMs: number): Member[];
  /** The time we stood still does not count. */
  stalled(lateMs: number): void;
}

/** No suspicions yet. */
export function createSuspicions({ settings, view, now }: Context): Suspicions {
  const suspicions = new Map<string, Suspicion>();
  // A lower bound: waking too early does no harm, and the end of a suspicion need not look for the next minimum.
  let earliestAtMs = Number.POSITIVE_INFINITY;

  const alive = (): number => view.size() - suspicions.size;
  const endAtMs = (suspicion: Suspicion): number => {
    const { accusers } = suspicion.member;
    const refusals = accusers.filter((accuser) => accuser.refused).length;
    const doubts = { live: view.size(), alive: alive(), accusers: accusers.length, refusals };
    const end = suspicion.startedAtMs + suspicionMs(settings, doubts);
    if (refusals >= refusalsNeeded(doubts.alive)) suspicion.provenAtMs ??= now();
    return suspicion.provenAtMs === null ? end : Math.min(end, suspicion.provenAtMs + settings.refusedGraceMs);
  };

  return {
    count: () => suspicions.size,
    alive,
    hear: (member) => {
      const { boot, incarnation } = member.claim;
      let suspicion = suspicions.get(member.id);
      const isNew = suspicion?.boot !== boot || suspicion.incarnation !== incarnation;
      if (isNew) {
        suspicion = { member, boot, incarnation, startedAtMs: now(), provenAtMs: null };
        suspicions.set(member.id, suspicion);
      }
      earliestAtMs = Math.min(earliestAtMs, endAtMs(suspicion!));
      return isNew;
    },
    clear: (id) => {
      suspicions.delete(id);
    },
    nextAtMs: () => (suspicions.size === 0 ? Number.POSITIVE_INFINITY : earliestAtMs),
    due: (nowMs) => {
      if (nowMs < earliestAtMs) return [];
      const over: Member[] = [];
      earliestAtMs = Number.POSITIVE_INFINITY;
      for (const suspicion of suspicions.values()) {
        const end = endAtMs(suspicion);
        const { accusers } = suspicion.member;
        const enough = accusers.length >= accusersNeeded(view.size(), alive());
        if (end <= nowMs && enough) over.push(suspicion.member);
        // Not enough accusers yet: look again in a while.
        else earliestAtMs = Math.min(earliestAtMs, end <= nowMs ? nowMs + settings.refusedGraceMs : end);
      }
      return over;
    },
    stalled: (lateMs) => {
      earliestAtMs += lateMs;
      for (const suspicion of suspicions.values()) {
        suspicion.startedAtMs += lateMs;
        if (suspicion.provenAtMs !== null) suspicion.provenAtMs += lateMs;
      }
    },
  };
}
