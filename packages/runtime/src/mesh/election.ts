/**
 * Who leads. With a shared store: whoever holds the lease row, by the database's clock, with an epoch that fences every
 * leader-only write. Without any: the longest-lived node, for harmless work only.
 *
 * I5. An epoch has one holder; the store gives the next epoch to every other.
 * I6. A holder acts only while `now < trustedUntil`: the beginning of its last renewal, plus the TTL, less a margin, on its
 *     own monotonic clock. A stall does not move it.
 * L4. The longest-lived tries first, others a little later each; nobody takes a lease that has not ended.
 */
import type { Context } from "./context.ts";
import type { LeaseOutcome } from "./effects.ts";
import { type Candidate, createLeaseClient, type LeaseClient } from "./lease-client.ts";
import type { LeaseNotice } from "./messages.ts";
import type { SelfHealth } from "./self-health.ts";
import { oldest, seniors } from "./seniority.ts";

/** The leader as this node sees it. */
export interface Leader {
  readonly id: string | null;
  readonly authority: "lease" | "gossip" | null;
  readonly epoch: number;
}

/** Elections of one node. */
export interface Election extends Pick<LeaseClient, "answer" | "look" | "settle"> {
  notice(): LeaseNotice | null;
  /** What a peer knows of the lease. */
  readonly hear: (notice: LeaseNotice) => void;
  leader(): Leader;
  /** The end of this node's trust in its own lease; -Infinity when it holds none. Monotonic milliseconds. */
  readonly trustedUntilMs: () => number;
  readonly epoch: () => number;
  /** Gives the lease back: leaving, draining, lonely. */
  readonly resign: () => void;
  due(nowMs: number): void;
  nextAtMs(): number;
}

/** From the word that the lease is free until the first try. */
const RELEASE_MS = 200;
/** How much later each of the first in line tries than the one before it. */
const QUEUE_STEP_MS = 500;
/** Those further back look again after a while. */
const QUEUE = 5;

/** The lease as it was last heard of. */
interface Known {
  readonly notice: LeaseNotice;
  readonly endsAtMs: number;
}

/** True when `next` tells something that `known` does not: a later epoch, an end, or a later end. */
function isNews(known: Known | null, next: Known): boolean {
  if (known === null || next.notice.epoch > known.notice.epoch) return true;
  if (next.notice.epoch < known.notice.epoch || known.notice.holder === null) return false;
  return next.notice.holder === null || next.endsAtMs > known.endsAtMs;
}

/** Elections by `context`. `nudge`: the leader changed, tell others soon. */
export function createElection(context: Context, health: SelfHealth, nudge: () => void): Election {
  const { settings, self, random, now, log } = context;
  const client = createLeaseClient(context, health);
  let known: Known | null = null;
  let trustedUntilMs = Number.NEGATIVE_INFINITY;
  let nextAtMs = now() + settings.leaseRetryMs * random();
  let isTrying = false;
  /** Grows with each resignation: what was asked for before one is not taken after it. */
  let resignations = 0;

  const isMine = (): boolean =>
    known !== null && known.notice.holder === self.id && known.notice.boot === self.claim().boot;
  const isFit = (): boolean => mayLead(context, health);
  const candidate = (): Candidate => candidateOf(context, isMine() ? known!.notice.epoch : 0);

  const learn = (notice: LeaseNotice): void => {
    const next = { notice, endsAtMs: now() + notice.remainingMs };
    if (!isNews(known, next)) return;
    const isChange = known?.notice.epoch !== notice.epoch || known.notice.holder !== notice.holder;
    known = next;
    if (!isMine()) trustedUntilMs = Number.NEGATIVE_INFINITY;
    if (isChange) {
      nudge();
      context.changed();
      log("info", "mesh_leader", { holder: notice.holder, epoch: notice.epoch });
    }
    // The holder tells the store and us at the same time: let the store hear it first.
    if (notice.holder === null) nextAtMs = now() + RELEASE_MS + queueMs(context);
    else if (!isMine()) nextAtMs = Math.min(next.endsAtMs, now() + settings.leaseTtlMs) + queueMs(context);
  };

  const settleAttempt = (startedAtMs: number, term: number, outcome: LeaseOutcome): void => {
    isTrying = false;
    if (outcome.kind === "granted" && term === resignations) {
      learn(outcome.lease);
      trustedUntilMs = startedAtMs + outcome.lease.remainingMs - settings.leaseMarginMs;
      nextAtMs = startedAtMs + settings.leaseRenewMs;
      if (!isFit()) resign();
      return;
    }
    if (outcome.kind === "denied" && outcome.lease !== null) learn(outcome.lease);
    nextAtMs = retryAtMs(context, isMine() ? null : known);
  };

  const resign = (): void => {
    resignations += 1;
    trustedUntilMs = Number.NEGATIVE_INFINITY;
    if (!isMine()) return;
    const { epoch, boot } = known!.notice;
    client.attempt("release", candidate(), () => undefined);
    learn({ holder: null, boot, epoch, remainingMs: 0 });
    nextAtMs = now() + settings.leaseTtlMs;
  };

  const due = (nowMs: number): void => {
    if (trustedUntilMs !== Number.NEGATIVE_INFINITY && !isFit()) resign();
    if (nowMs < nextAtMs || isTrying) return;
    nextAtMs = nowMs + settings.leaseRetryMs;
    if (client.authority() === null || !isFit()) return;
    isTrying = true;
    const term = resignations;
    client.attempt("acquire", candidate(), (outcome) => settleAttempt(nowMs, term, outcome));
  };

  return {
    notice: () => noticeOf(known, now()),
    hear: learn,
    leader: () => leaderOf(context, known, client.authority() !== null, isFit()),
    trustedUntilMs: () => trustedUntilMs,
    epoch: () => known?.notice.epoch ?? 0,
    answer: client.answer,
    look: client.look,
    resign,
    due,
    nextAtMs: () => (isTrying ? Number.POSITIVE_INFINITY : nextAtMs),
    settle: client.settle,
  };
}

function candidateOf({ self }: Context, epoch: number): Candidate {
  return { id: self.id, boot: self.claim().boot, epoch };
}

/** True when this node may lead: it is in, takes new work, and hears somebody if there is anybody. */
function mayLead({ self, view, now }: Context, health: SelfHealth): boolean {
  return self.standing() === "in" && !self.claim().meta.draining && !health.lonely(view.live.length, now());
}

/** How long this node lets others go first. */
function queueMs(context: Context): number {
  const place = seniors(context);
  return place < QUEUE ? place * QUEUE_STEP_MS : context.settings.leaseRetryMs * (1 + context.random());
}

/** When to try again: soon, or once the lease that another holds has run out. */
function retryAtMs(context: Context, others: Known | null): number {
  const { settings, random, now } = context;
  const soonMs = now() + settings.leaseRetryMs * (0.75 + random() / 2);
  const isHeld = others !== null && others.notice.holder !== null && others.endsAtMs > now();
  return isHeld ? Math.max(soonMs, others.endsAtMs + queueMs(context)) : soonMs;
}

/** What to tell others: nothing once the lease has run out. */
function noticeOf(known: Known | null, nowMs: number): LeaseNotice | null {
  if (known === null) return null;
  const remainingMs = Math.max(0, Math.round(known.endsAtMs - nowMs));
  return remainingMs === 0 && known.notice.holder !== null ? null : { ...known.notice, remainingMs };
}

function leaderOf(context: Context, known: Known | null, isByLease: boolean, isFit: boolean): Leader {
  const epoch = known?.notice.epoch ?? 0;
  if (!isByLease) {
    return { id: context.self.standing() === "in" ? oldest(context, isFit) : null, authority: "gossip", epoch };
  }
  const isHeld = known !== null && known.endsAtMs > context.now() && known.notice.holder !== null;
  return isHeld ? { id: known.notice.holder, authority: "lease", epoch } : { id: null, authority: null, epoch };
}
