/**
 * How busy each peer is, by what this node sees: its own requests there, and the depth that every answer carries.
 *
 * D1. Own requests are known exactly and at once; nothing else may make a peer look idle. Counts that travel by gossip
 *     are old when they arrive, and least-connections on them makes all gateways rush to one node (Mitzenmacher 2000);
 *     they serve only peers that have not answered lately.
 * D2. What others have there is the depth of the last answer less our own at that moment, fading with half-lives.
 * D3. Latency is to the first event, peak-EWMA (Finagle, linkerd): it rises at once and falls slowly. Errors count as a
 *     slow answer, or a peer that fails fast would look best.
 */
import type { Clock } from "../core/index.ts";

/** One request to a peer. */
export interface Ticket {
  /** The answer has begun. Only the first call counts. */
  firstEvent(): void;
  /** Work at the peer as it says in an answer. */
  depth(reported: number): void;
  /** The request is over, or nothing more of it will be seen. Only the first call counts. */
  end(outcome: "ok" | "error"): void;
}

/** What is known of a peer's load. */
export interface PeerLoad {
  readonly inFlight: number;
  /** Others' work there, a guess. */
  readonly others: number;
  /** To the first event; null when nothing is known. Milliseconds. */
  readonly latencyMs: number | null;
}

/** The loads of all peers. */
export interface Loads {
  /** A request begins. `lane`: what latencies may be compared, such as one agent or one model. */
  begin(key: string, lane: string): Ticket;
  /** @param prior the depth that the view has heard of, for peers that have not answered lately */
  of(key: string, lane: string, prior: number): PeerLoad;
  keepOnly(keys: ReadonlySet<string>): void;
}

/** In which a guess of others' work halves. Milliseconds. */
const FADE_MS = 1_000;
/** A peer that was not heard for so long is guessed by the view's prior. Milliseconds. */
const FORGET_MS = 10_000;
/** In which a peak of latency fades to 1/e. Milliseconds. */
const DECAY_MS = 10_000;
/** What an error counts as. Milliseconds. */
const ERROR_LATENCY_MS = 5_000;
const MAX_LANES = 256;

interface Average {
  valueMs: number;
  at: number;
}

interface State {
  inFlight: number;
  others: number;
  heardAt: number | null;
  readonly lanes: Map<string, Average>;
}

/** Makes an empty record. */
export function createLoads(clock: Pick<Clock, "monotonic">): Loads {
  const states = new Map<string, State>();
  const stateOf = (key: string): State => {
    const state = states.get(key) ?? { inFlight: 0, others: 0, heardAt: null, lanes: new Map() };
    states.set(key, state);
    return state;
  };
  return {
    begin(key, lane) {
      const state = stateOf(key);
      const startedAt = clock.monotonic();
      let begun = false;
      let ended = false;
      state.inFlight += 1;
      return {
        firstEvent() {
          if (begun) return;
          begun = true;
          observe(state, lane, clock.monotonic() - startedAt, clock.monotonic());
        },
        depth(reported) {
          state.others = Math.max(0, reported - state.inFlight);
          state.heardAt = clock.monotonic();
        },
        end(outcome) {
          if (ended) return;
          ended = true;
          state.inFlight -= 1;
          if (outcome === "error") observe(state, lane, ERROR_LATENCY_MS, clock.monotonic());
        },
      };
    },
    of(key, lane, prior) {
      const state = states.get(key);
      if (state === undefined) return { inFlight: 0, others: prior, latencyMs: null };
      const { inFlight, others, heardAt, lanes } = state;
      const ageMs = heardAt === null ? Number.POSITIVE_INFINITY : clock.monotonic() - heardAt;
      const guess = ageMs > FORGET_MS ? Math.max(0, prior - inFlight) : others * 2 ** (-ageMs / FADE_MS);
      return { inFlight, others: guess, latencyMs: lanes.get(lane)?.valueMs ?? null };
    },
    keepOnly(keys) {
      for (const key of states.keys()) if (!keys.has(key)) states.delete(key);
    },
  };
}

function observe({ lanes }: State, lane: string, latencyMs: number, now: number): void {
  const before = lanes.get(lane);
  lanes.delete(lane);
  if (before === undefined || latencyMs >= before.valueMs) lanes.set(lane, { valueMs: latencyMs, at: now });
  else {
    const weight = Math.exp(-(now - before.at) / DECAY_MS);
    lanes.set(lane, { valueMs: before.valueMs * weight + latencyMs * (1 - weight), at: now });
  }
  const [oldest] = lanes.keys();
  if (lanes.size > MAX_LANES && oldest !== undefined) lanes.delete(oldest);
}
