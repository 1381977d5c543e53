/** Reaches the lease row: by this node's own store, or through a peer that has it. */
import type { Context } from "./context.ts";
import type { LeaseOutcome } from "./effects.ts";
import type { ElectionRequest, MeshReply } from "./messages.ts";
import type { SelfHealth } from "./self-health.ts";
import type { Member } from "./view.ts";

/** On whose behalf the row is touched, and the epoch that it holds (0: none). */
export interface Candidate {
  readonly id: string;
  readonly boot: number;
  readonly epoch: number;
}

/** Access to the lease. `done` is called once, perhaps at once. */
export interface LeaseClient {
  /** The shared store that decides: the least id of those that are live, should there be several. Null without any. */
  readonly authority: () => string | null;
  attempt(action: "acquire" | "release", candidate: Candidate, done: (outcome: LeaseOutcome) => void): void;
  /** A peer without the store asks. */
  readonly answer: (request: ElectionRequest, answer: (reply: MeshReply) => void) => void;
  /** Asks the store for a sign of life. False when this node has no shared store. */
  readonly look: (done: (answered: boolean) => void) => boolean;
  /** The store answered `request`. */
  readonly settle: (request: number, outcome: LeaseOutcome) => void;
}

/** Access by `context`. */
export function createLeaseClient(context: Context, health: SelfHealth): LeaseClient {
  const { self, view, random, now, emit, ask } = context;
  const waiting = new Map<number, (outcome: LeaseOutcome) => void>();
  let requests = 0;
  let leastOfPeers: { readonly revision: number; readonly id: string | null } = { revision: -1, id: null };

  const ownStore = (): string | null => {
    const { store } = self.claim().meta;
    return store?.shared === true ? store.id : null;
  };
  const authority = (): string | null => {
    const revision = view.revision();
    if (leastOfPeers.revision !== revision) leastOfPeers = { revision, id: leastStoreOf(view.live) };
    const [own, { id }] = [ownStore(), leastOfPeers];
    return own !== null && (id === null || own < id) ? own : id;
  };

  const askStore = (
    action: "acquire" | "release" | "look",
    { id, boot, epoch }: Candidate,
    done: (outcome: LeaseOutcome) => void,
  ): void => {
    requests += 1;
    waiting.set(requests, (outcome) => {
      if (outcome.kind !== "error") health.storeAnswered(now());
      done(outcome);
    });
    emit({ kind: "lease", request: requests, action, candidate: id, boot, epoch });
  };

  return {
    authority,
    attempt: (action, candidate, done) => {
      const decisive = authority();
      if (decisive !== null && ownStore() === decisive) return askStore(action, candidate, done);
      const proxy = view.pick(random, ({ status, claim }) => status !== "alive" || claim.meta.store?.id !== decisive);
      if (proxy === null) return done({ kind: "error" });
      const { id, boot, epoch } = candidate;
      const message: ElectionRequest = { kind: "election", action, candidate: id, boot, epoch };
      return ask({ id: proxy.id, address: proxy.claim.meta.address }, message, (result) => {
        if (!result.ok || result.reply.kind !== "election") return done({ kind: "error" });
        const { granted, lease } = result.reply;
        return done(granted && lease !== null ? { kind: "granted", lease } : { kind: "denied", lease });
      });
    },
    answer: ({ action, candidate, boot, epoch }, answer) => {
      const refusal: MeshReply = { kind: "refused", code: "no_store", ours: "", theirs: "" };
      if (ownStore() === null) return answer(refusal);
      return askStore(action, { id: candidate, boot, epoch }, (outcome) => {
        if (outcome.kind === "error") return answer(refusal);
        const lease = outcome.kind === "released" ? null : outcome.lease;
        return answer({ kind: "election", granted: outcome.kind !== "denied", lease });
      });
    },
    look: (done) => {
      if (ownStore() === null) return false;
      const { id, boot } = self.claim();
      askStore("look", { id, boot, epoch: 0 }, (outcome) => done(outcome.kind !== "error"));
      return true;
    },
    settle: (request, outcome) => {
      const done = waiting.get(request);
      waiting.delete(request);
      done?.(outcome);
    },
  };
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
