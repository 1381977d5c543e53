/**
 * News, told to three peers at a time until it is spread (rumour mongering with feedback and a counter: Demers et al.,
 * 1987; SWIM and memberlist cap the count in the same way).
 *
 * D1. A piece of news is told at most 4 * ceil(log10(N + 1)) + 4 times by each node.
 * D2. It is dropped earlier once enough of those it was told to knew it already.
 * D3. The first news on a quiet node goes out at once; then at most one flush every `flushIntervalMs`.
 */
import type { Context } from "./context.ts";
import type { ClaimNews, News } from "./messages.ts";
import { NO_NEWS } from "./messages.ts";
import type { Claim, Verdict } from "./record.ts";

/** What is told of one member. What exactly stands in the view when it is told. */
interface Rumour {
  readonly id: string;
  claim: boolean;
  verdict: boolean;
  sends: number;
  knew: number;
}

/** News for one message, and what it was made of. */
export interface Batch {
  readonly news: News;
  /** For `feedback`, in the order of claims and verdicts. */
  readonly ids: readonly string[];
}

/** The news that this node spreads. */
export interface Dissemination {
  /** Something new is known of a member; the count starts afresh. */
  note(id: string, about: { readonly claim?: boolean; readonly verdict?: boolean }): void;
  /** There is something to tell that is no record, such as a new leader. */
  readonly nudge: () => void;
  /** News for one peer, apart from what it just told us; counts as told. */
  batch(heard?: News): Batch;
  /** What the peer knew of the batch. */
  feedback(batch: Batch, known: readonly boolean[]): void;
  /** Drops all news. */
  reset(): void;
  nextAtMs(): number;
  /** Starts a flush that is due; the number of peers to tell. */
  flush(nowMs: number): number;
  size(): number;
}

/**
 * Peers that must have known a piece of news, in excess of those that did not, before it is dropped. Simulated at
 * N = 100: with 2 the last node hears of an event after 1.9 s (p99), with 8 after 0.6 s.
 */
const KNOWN_ENOUGH = 8;
/** Pieces in one message. A claim with its signature takes half a kilobyte. */
const BATCH = 256;

/**
 * How often a node tells one thing to a mesh of `live` nodes. One flush more than memberlist: with 8 sends, its number
 * for 99 nodes, three leaves of a hundred miss somebody, who then waits for a round.
 */
function tellLimit(live: number): number {
  return 4 * Math.ceil(Math.log10(live + 1)) + 4;
}

/** No news yet. */
export function createDissemination(context: Context): Dissemination {
  const { settings, view, now } = context;
  const rumours = new Map<string, Rumour>();
  let nudges = 0;
  let dueAtMs = Number.POSITIVE_INFINITY;
  let flushedAtMs = Number.NEGATIVE_INFINITY;

  const schedule = (): void => {
    const soonest = Math.max(now() + settings.flushDelayMs, flushedAtMs + settings.flushIntervalMs);
    dueAtMs = Math.min(dueAtMs, soonest);
  };
  return {
    note: (id, { claim = false, verdict = false }) => {
      const rumour = rumours.get(id);
      if (rumour === undefined) rumours.set(id, { id, claim, verdict, sends: 0, knew: 0 });
      else Object.assign(rumour, { claim: rumour.claim || claim, verdict, sends: 0, knew: 0 });
      schedule();
    },
    nudge: () => {
      nudges = tellLimit(view.size());
      schedule();
    },
    batch: (heard = NO_NEWS) => (rumours.size === 0 ? NOTHING : compose(context, rumours, heard)),
    feedback: ({ ids }, known) => {
      ids.forEach((id, index) => {
        const rumour = rumours.get(id);
        if (rumour === undefined) return;
        rumour.knew = known[index] === true ? rumour.knew + 1 : Math.max(0, rumour.knew - 1);
        if (rumour.knew >= KNOWN_ENOUGH) rumours.delete(id);
      });
    },
    reset: () => {
      rumours.clear();
      nudges = 0;
    },
    nextAtMs: () => dueAtMs,
    flush: (nowMs) => {
      if (nowMs < dueAtMs) return 0;
      dueAtMs = Number.POSITIVE_INFINITY;
      if (rumours.size === 0 && nudges === 0) return 0;
      flushedAtMs = nowMs;
      nudges = Math.max(0, nudges - settings.gossipFanout);
      schedule();
      return settings.gossipFanout;
    },
    size: () => rumours.size,
  };
}

/** Takes news for one message and counts it as told; what is told enough, or is no news any more, is dropped. */
function compose(context: Context, rumours: Map<string, Rumour>, heard: News): Batch {
  const limit = tellLimit(context.view.size());
  const claims: ClaimNews[] = [];
  const verdicts: Verdict[] = [];
  for (const rumour of choose(rumours, heard)) {
    const claim = rumour.claim ? claimOf(context, rumour.id) : null;
    const verdict = rumour.verdict ? verdictOf(context, rumour.id) : null;
    if (claim !== null) claims.push(claim);
    if (verdict !== null) verdicts.push(verdict);
    rumour.sends += 1;
    if (rumour.sends >= limit || (claim === null && verdict === null)) rumours.delete(rumour.id);
  }
  return { news: { claims, verdicts }, ids: [...claims.map(({ claim }) => claim.id), ...verdicts.map(({ id }) => id)] };
}

/** News that the peer did not bring itself, the least told first when there is too much. */
function choose(rumours: Map<string, Rumour>, heard: News): Rumour[] {
  const skipped = new Set<string>();
  for (const { claim } of heard.claims) skipped.add(claim.id);
  for (const { id } of heard.verdicts) skipped.add(id);
  const all = [...rumours.values()].filter(({ id }) => !skipped.has(id));
  return all.length <= BATCH ? all : all.toSorted((a, b) => a.sends - b.sends).slice(0, BATCH);
}

function claimOf({ self, view, now }: Context, id: string): ClaimNews | null {
  const member = view.get(id);
  const claim: Claim | undefined = id === self.id ? self.claim() : member?.claim;
  if (claim === undefined) return null;
  const bornAtMs = member?.bornAtMs ?? self.bornAtMs();
  return { claim, ageMs: Math.max(0, Math.round(now() - bornAtMs)) };
}

function verdictOf({ view }: Context, id: string): Verdict | null {
  const member = view.get(id);
  if (member === undefined || member.status === "alive" || member.claim.left) return null;
  const { boot, incarnation } = member.claim;
  return { id, boot, incarnation, status: member.status, accusers: member.accusers };
}

const NOTHING: Batch = { news: NO_NEWS, ids: [] };
