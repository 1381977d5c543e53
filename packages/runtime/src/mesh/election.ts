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
import type { ElectionRequest, LeaseNotice, MeshReply } from "./messages.ts";
import type { SelfHealth } from "./self-health.ts";
import type { Member } from "./view.ts";

/** The leader as this node sees it. */
export interface Leader {
  readonly id: string | null;
  readonly authority: "lease" | "gossip" | null;
  readonly epoch: number;
}

/** Elections of one node. */
export interface Election {
  notice(): LeaseNotice | null;
  /** What a peer knows of the lease. */
  hear(notice: LeaseNotice): void;
  leader(): Leader;
  /** The end of this node's trust in its own lease; -Infinity when it holds none. Monotonic milliseconds. */
  readonly trustedUntilMs: () => number;
  readonly epoch: () => number;
  /** A peer without the store asks. */
  answer(request: ElectionRequest, answer: (reply: MeshReply) => void): void;
  /** Asks the store for a sign of life. False when this node has no shared store. */
  readonly look: (done: (answered: boolean) => void) => boolean;
  /** Gives the lease back: leaving, draining, lonely. */
  resign(): void;
  due(nowMs: number): void;
  nextAtMs(): number;
  /** The store answered `request`. */
  settle(request: number, outcome: LeaseOutcome): void;
}

/** Nodes born within so long are of one age: their order is by id, the same for all who look. */
const SAME_AGE_MS = 1_000;
/** From the word that the lease is free until the first try. */
const RELEASE_MS = 200;
/** How much later each of the first in line tries than the one before it. */
const QUEUE_STEP_MS = 500;
/** Those further back look again after a while. */
const QUEUE = 5;

/** Elections by `context`. `nudge`: the leader changed, tell others soon. */
export function createElection(context: Context, health: SelfHealth, nudge: () => void): Election {
  const { settings, self, view, random, now, emit, ask, log } = context;
  const waiting = new Map<number, (outcome: LeaseOutcome) => void>();
  let requests = 0;
  let known: { readonly notice: LeaseNotice; readonly endsAtMs: number } | null = null;
  let trustedUntilMs = Number.NEGATIVE_INFINITY;
  let nextAtMs = now() + settings.leaseRetryMs * random();
  let isTrying = false;
  /** Grows with each resignation: what was asked for before one is not taken after it. */
  let resignations = 0;
  let leastOfPeers: { readonly revision: number; readonly id: string | null } = { revision: -1, id: null };

  const store = (): { readonly id: string; readonly shared: boolean } | null => self.claim().meta.store;
  /** The shared store that decides: the least id of those that are live, should there be several. */
  const authority = (): string | null => {
    const own = store();
    if (leastOfPeers.revision !== view.revision())
      leastOfPeers = { revision: view.revision(), id: leastStoreOf(view.live) };
    const { id } = leastOfPeers;
    return own?.shared === true && (id === null || own.id < id) ? own.id : id;
  };
  const isMine = (): boolean =>
    known !== null && known.notice.holder === self.id && known.notice.boot === self.claim().boot;
  const isFit = (): boolean =>
    self.standing() === "in" && !self.claim().meta.draining && !(view.live.length > 0 && health.lonely(now()));

  const askStore = (
    action: "acquire" | "release" | "look",
    candidate: { readonly id: string; readonly boot: number; readonly epoch: number },
    done: (outcome: LeaseOutcome) => void,
  ): void => {
    requests += 1;
    waiting.set(requests, (outcome) => {
      if (outcome.kind !== "error") health.storeAnswered(now());
      done(outcome);
    });
    const { id, boot, epoch } = candidate;
    emit({ kind: "lease", request: requests, action, candidate: id, boot, epoch });
  };

  const learn = (notice: LeaseNotice): void => {
    const endsAtMs = now() + notice.remainingMs;
    if (known !== null && notice.epoch < known.notice.epoch) return;
    const isNew = known === null || notice.epoch > known.notice.epoch;
    const isResigned = notice.holder === null && known?.notice.holder !== null;
    if (
      !isNew &&
      !isResigned &&
      (notice.holder === null || known?.notice.holder === null || endsAtMs <= known!.endsAtMs)
    )
      return;
    known = { notice, endsAtMs };
    if (!isMine()) trustedUntilMs = Number.NEGATIVE_INFINITY;
    if (isNew || isResigned) {
      nudge();
      context.changed();
      log("info", "mesh_leader", { holder: notice.holder, epoch: notice.epoch });
    }
    // The holder tells the store and us at the same time: let the store hear it first.
    if (isResigned) nextAtMs = now() + RELEASE_MS + queueMs();
    else if (!isMine()) nextAtMs = Math.min(endsAtMs, now() + settings.leaseTtlMs) + queueMs();
  };

  /** How long this node lets others go first. */
  const queueMs = (): number => {
    const place = rank();
    return place < QUEUE ? place * QUEUE_STEP_MS : settings.leaseRetryMs * (1 + random());
  };
  const rank = (): number => {
    const bornAtMs = self.bornAtMs();
    let before = 0;
    for (const member of view.live) {
      if (isEligible(member) && isOlder(member.bornAtMs, member.id, bornAtMs, self.id)) before += 1;
    }
    return before;
  };

  const settleAttempt = (startedAtMs: number, term: number, outcome: LeaseOutcome): void => {
    isTrying = false;
    if (outcome.kind === "granted" && term === resignations) {
      trustedUntilMs = startedAtMs + outcome.lease.remainingMs - settings.leaseMarginMs;
      learn(outcome.lease);
      nextAtMs = startedAtMs + settings.leaseRenewMs;
      if (!isFit()) resign();
    } else {
      if (outcome.kind === "denied" && outcome.lease !== null) learn(outcome.lease);
      const retryAtMs = now() + settings.leaseRetryMs * (0.75 + random() / 2);
      const isHeld = known !== null && known.notice.holder !== null && !isMine() && known.endsAtMs > now();
      nextAtMs = isHeld ? Math.max(retryAtMs, known!.endsAtMs + queueMs()) : retryAtMs;
    }
  };

  /** One attempt on the lease, by the own store or through a peer that has it. */
  const attempt = (action: "acquire" | "release", decisive: string, done: (outcome: LeaseOutcome) => void): void => {
    const candidate = { id: self.id, boot: self.claim().boot, epoch: isMine() ? known!.notice.epoch : 0 };
    const own = store();
    if (own?.shared === true && own.id === decisive) return askStore(action, candidate, done);
    const proxy = view.pick(random, ({ status, claim }) => status !== "alive" || claim.meta.store?.id !== decisive);
    if (proxy === null) return done({ kind: "error" });
    const message: ElectionRequest = {
      kind: "election",
      action,
      candidate: self.id,
      boot: candidate.boot,
      epoch: candidate.epoch,
    };
    ask({ id: proxy.id, address: proxy.claim.meta.address }, message, (result) => {
      if (!result.ok || result.reply.kind !== "election") return done({ kind: "error" });
      const { granted, lease } = result.reply;
      return done(granted && lease !== null ? { kind: "granted", lease } : { kind: "denied", lease });
    });
    return undefined;
  };

  const resign = (): void => {
    resignations += 1;
    if (!isMine()) return;
    trustedUntilMs = Number.NEGATIVE_INFINITY;
    const decisive = authority();
    const { epoch, boot } = known!.notice;
    if (decisive !== null) attempt("release", decisive, () => undefined);
    learn({ holder: null, boot, epoch, remainingMs: 0 });
    nextAtMs = now() + settings.leaseTtlMs;
  };

  return {
    notice: () => {
      if (known === null) return null;
      const remainingMs = Math.round(known.endsAtMs - now());
      return remainingMs <= 0 && known.notice.holder !== null
        ? null
        : { ...known.notice, remainingMs: Math.max(0, remainingMs) };
    },
    hear: learn,
    leader: () => {
      const epoch = known?.notice.epoch ?? 0;
      if (authority() === null) return { id: self.standing() === "in" ? oldest() : null, authority: "gossip", epoch };
      const isHeld = known !== null && known.endsAtMs > now() && known.notice.holder !== null;
      return isHeld ? { id: known!.notice.holder, authority: "lease", epoch } : { id: null, authority: null, epoch };
    },
    trustedUntilMs: () => trustedUntilMs,
    epoch: () => known?.notice.epoch ?? 0,
    answer: ({ action, candidate, boot, epoch }, answer) => {
      if (store()?.shared !== true) return answer({ kind: "refused", code: "no_store", ours: "", theirs: "" });
      return askStore(action, { id: candidate, boot, epoch }, (outcome) => {
        if (outcome.kind === "error") return answer({ kind: "refused", code: "no_store", ours: "", theirs: "" });
        return answer({
          kind: "election",
          granted: outcome.kind !== "denied",
          lease: outcome.kind === "released" ? null : outcome.lease,
        });
      });
    },
    look: (done) => {
      if (store()?.shared !== true) return false;
      askStore("look", { id: self.id, boot: self.claim().boot, epoch: 0 }, (outcome) => done(outcome.kind !== "error"));
      return true;
    },
    resign,
    due: (nowMs) => {
      if (trustedUntilMs !== Number.NEGATIVE_INFINITY && !isFit()) resign();
      if (nowMs < nextAtMs || isTrying) return;
      nextAtMs = nowMs + settings.leaseRetryMs;
      const decisive = authority();
      if (decisive === null || !isFit()) return;
      isTrying = true;
      const term = resignations;
      attempt("acquire", decisive, (outcome) => settleAttempt(nowMs, term, outcome));
    },
    nextAtMs: () => (isTrying ? Number.POSITIVE_INFINITY : nextAtMs),
    settle: (request, outcome) => {
      const done = waiting.get(request);
      waiting.delete(request);
      done?.(outcome);
    },
  };

  /** The longest-lived node that may lead; ages that cannot be told apart are ordered by id. */
  function oldest(): string | null {
    let [bornAtMs, id] = isFit() ? [self.bornAtMs(), self.id] : [Number.POSITIVE_INFINITY, ""];
    for (const member of view.live) if (isEligible(member)) bornAtMs = Math.min(bornAtMs, member.bornAtMs);
    if (self.bornAtMs() > bornAtMs + SAME_AGE_MS) id = "";
    for (const member of view.live) {
      if (isEligible(member) && member.bornAtMs <= bornAtMs + SAME_AGE_MS && (id === "" || member.id < id))
        id = member.id;
    }
    return id === "" ? null : id;
  }
}

/** The least id of shared stores. */
function leastStoreOf(members: readonly Member[]): string | null {
  let least: string | null = null;
  for (const { claim } of members) {
    const { store } = claim.meta;
    if (store?.shared === true && (least === null || store.id < least)) least = store.id;
  }
  return least;
}

function isEligible({ status, claim, contact }: Member): boolean {
  return status === "alive" && !claim.meta.draining && contact?.degraded !== true;
}

function isOlder(bornAtMs: number, id: string, thanMs: number, thanId: string): boolean {
  return Math.abs(bornAtMs - thanMs) > SAME_AGE_MS ? bornAtMs < thanMs : id < thanId;
}
