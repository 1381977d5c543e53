/**
 * What a run waits for. A wait is durable: its intent is in the journal, so an attempt may end while it lasts.
 *
 * P1 An attempt parks only when every branch waits; parking and the look for signals are one transaction.
 * P2 While it parks nothing is delivered here: the store decides whether it parks or is queued.
 * P3 A signal is used up by one wait, in the transaction that records the wait's outcome.
 */
import type { Clock, WaitReason } from "../../../core/index.ts";
import type { RunSignal } from "../../../core/ports/index.ts";
import type { Activity } from "./activity.ts";

/** A wait as the parked run's row shows it. */
export interface WaitSpec {
  readonly reason: WaitReason;
  /** The signal that ends it; null for timers. */
  readonly name: string | null;
  /** When it ends by itself, wall clock; null when only a signal ends it. */
  readonly dueAt: number | null;
  /** When the run gives up waiting and fails; null when `dueAt` is the end of it. */
  readonly deadlineAt: number | null;
}

/** How a wait ended. */
export type WaitEnd = { readonly kind: "signal"; readonly signal: RunSignal } | { readonly kind: "due" };

/** What a run that parks writes into its row. */
export interface ParkingSpec {
  readonly reason: WaitReason;
  readonly names: readonly string[];
  readonly wakeAt: number | null;
  readonly deadlineAt: number | null;
}

/** The open waits of an attempt and the signals that no wait has taken yet. */
export interface Waits {
  /** Resolves when the wait ends; rejects with the signal's reason when its strand is cut. */
  wait(spec: WaitSpec, cut: AbortSignal): Promise<WaitEnd>;
  deliver(signals: readonly RunSignal[]): void;
  /** Drops and returns all signals of a name that nobody took. */
  discard(name: string): readonly RunSignal[];
  /** True when a signal from outside could end a wait. */
  wantsSignals(): boolean;
  /** Stops deliveries for good and tells what the run waits for; null when nothing is open. */
  park(): ParkingSpec | null;
}

interface OpenWait {
  readonly spec: WaitSpec;
  readonly end: (end: WaitEnd) => void;
}

/** The most urgent reason is the one shown: what a person must do comes first. */
const REASONS: readonly WaitReason[] = ["approval", "ambiguous", "signal", "child", "timer", "retry"];

/** A timer longer than this is set again on the way: setTimeout overflows at 24.8 days. */
const MAX_SLEEP_MS = 3_600_000;

/** Creates the waits of an attempt. */
export function createWaits(deps: { readonly clock: Clock; readonly activity: Activity }): Waits {
  const { clock, activity } = deps;
  const open = new Set<OpenWait>();
  let inbox: RunSignal[] = [];
  let parked = false;
  const known = new Set<string>();

  const takeFromInbox = (name: string | null): RunSignal | null => {
    const index = name === null ? -1 : inbox.findIndex((signal) => signal.name === name);
    return index < 0 ? null : (inbox.splice(index, 1)[0] ?? null);
  };

  const block = async (spec: WaitSpec, cut: AbortSignal): Promise<WaitEnd> => {
    const over = new AbortController();
    const onCut = (): void => over.abort(cut.reason);
    cut.addEventListener("abort", onCut);
    let entry: OpenWait | null = null;
    try {
      return await new Promise<WaitEnd>((resolve, reject) => {
        entry = { spec, end: resolve };
        open.add(entry);
        over.signal.addEventListener("abort", () => reject(over.signal.reason as Error));
        if (spec.dueAt !== null) {
          sleepUntil(clock, spec.dueAt, over.signal).then(
            () => (parked ? undefined : resolve({ kind: "due" })),
            () => {},
          );
        }
      });
    } finally {
      if (entry !== null) open.delete(entry);
      cut.removeEventListener("abort", onCut);
      over.abort(new Error("the wait is over"));
    }
  };

  return {
    wait: async (spec, cut) => {
      const signal = takeFromInbox(spec.name);
      if (signal !== null) return { kind: "signal", signal };
      if (spec.dueAt !== null && spec.dueAt <= clock.now()) return { kind: "due" };
      activity.leave();
      try {
        return await block(spec, cut);
      } finally {
        activity.enter();
      }
    },
    deliver: (signals) => {
      for (const signal of signals) {
        if (parked || known.has(signal.signalId)) continue;
        known.add(signal.signalId);
        const waiting = [...open].find((entry) => entry.spec.name === signal.name);
        if (waiting === undefined) inbox.push(signal);
        else {
          open.delete(waiting);
          waiting.end({ kind: "signal", signal });
        }
      }
    },
    discard: (name) => {
      const dropped = inbox.filter((signal) => signal.name === name);
      inbox = inbox.filter((signal) => signal.name !== name);
      return dropped;
    },
    wantsSignals: () => [...open].some((entry) => entry.spec.name !== null),
    park: () => {
      const specs = [...open].map((entry) => entry.spec);
      if (specs.length === 0) return null;
      parked = true;
      return {
        reason: REASONS.find((reason) => specs.some((spec) => spec.reason === reason)) ?? "signal",
        names: specs.flatMap((spec) => spec.name ?? []),
        wakeAt: earliest(specs.map((spec) => spec.dueAt)),
        deadlineAt: earliest(specs.map((spec) => spec.deadlineAt)),
      };
    },
  };
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

async function sleepUntil(clock: Clock, dueAt: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = dueAt - clock.now(); leftMs > 0; leftMs = dueAt - clock.now()) {
    await clock.sleep(Math.min(leftMs, MAX_SLEEP_MS), signal);
  }
}
