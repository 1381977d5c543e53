import type { Clock } from "../../core/index.ts";

/** How work under a time limit ended. */
export type Limited<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "timeout" };

/**
 * Runs work for at most `limitMs`. Its signal aborts when the time is over, when `outer` aborts, and when the work is
 * done. Work that does not listen is not waited for when its time is over; whoever aborts `outer` does not wait anyway.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Limited<T>> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const forward = (): void => controller.abort(outer.reason);
  outer.addEventListener("abort", forward);
  const late = clock.sleep(limitMs, controller.signal).then((): Limited<T> => {
    controller.abort(new DOMException(`No answer within ${limitMs} ms.`, "TimeoutError"));
    return { kind: "timeout" };
  });
  const done = work(controller.signal).then((value): Limited<T> => ({ kind: "done", value }));
  // A sleep that is cut short loses the race, and work may still fail after it; neither concerns anybody any more.
  const limit = late.catch(() => new Promise<never>(() => {}));
  done.catch(() => {});
  try {
    return await Promise.race([done, limit]);
  } finally {
    outer.removeEventListener("abort", forward);
    controller.abort(DONE);
  }
}

const DONE = new DOMException("The work is done.", "AbortError");
