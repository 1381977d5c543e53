import type { JournalRecord } from "../../../core/ports/index.ts";

/** One strand of a loop: the root, or a branch of `all` or `race`. */
export interface Branch {
  /** Before every position of this strand: `` for the root, `2.0.` for the first branch of the call at 2. */
  readonly prefix: string;
  /** Aborts when the strand is over before its end: a lost race, or the end of the attempt. */
  readonly signal: AbortSignal;
  /** Takes the next position. */
  take(): string;
  /** The position that `take` gives next. */
  next(): string;
  /** The strand has seen this outcome. */
  seen(outcome: Pick<JournalRecord, "at">): void;
  /** When the last outcome that the strand has seen was recorded. */
  now(): number;
  /** Recorded calls up to here, those of joined branches among them: the same on every replay. */
  calls(): number;
  /** Those of them that this strand and its joined branches made. */
  ownCalls(): number;
  /** How many random numbers were drawn. */
  draw(): number;
  /** Joins branches that have ended: time and calls go on from theirs. */
  join(branches: readonly Branch[]): void;
  fork(position: string, index: number): Branch;
  /** Ends the strand and its branches early. */
  cut(reason: Error): void;
}

/** The root of a segment, which begins at `now`. */
export function createRootBranch(signal: AbortSignal, now: number): Branch {
  return createBranch("", signal, now, 0);
}

function createBranch(prefix: string, outer: AbortSignal, startNow: number, startCalls: number): Branch {
  const controller = new AbortController();
  const cut = (reason: Error): void => {
    outer.removeEventListener("abort", outerCut);
    controller.abort(reason);
  };
  const outerCut = (): void => cut(outer.reason as Error);
  if (outer.aborted) outerCut();
  else outer.addEventListener("abort", outerCut);

  let counter = 0;
  let drawn = 0;
  let now = startNow;
  let own = 0;
  return {
    prefix,
    signal: controller.signal,
    take: () => `${prefix}${counter++}`,
    next: () => `${prefix}${counter}`,
    seen: (outcome) => {
      now = Math.max(now, outcome.at);
      own += 1;
    },
    now: () => now,
    calls: () => startCalls + own,
    ownCalls: () => own,
    draw: () => drawn++,
    join: (branches) => {
      for (const branch of branches) {
        now = Math.max(now, branch.now());
        own += branch.ownCalls();
      }
    },
    fork: (position, index) => createBranch(`${position}.${index}.`, controller.signal, now, startCalls + own),
    cut,
  };
}
