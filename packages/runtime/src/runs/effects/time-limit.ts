import type { Clock } from "../../core/index.ts";

/** How work under a time limit ended. */
export type Limited<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "timeout" };

/**
 * Runs work that is told to stop by a signal, after `limitMs` or when `outer` aborts, and does not wait for work that
 * does not listen. Rejects with the outer signal's reason when that was why.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Limited<T>> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const timer = new AbortController();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      controller.abort(outer.reason);
      reject(outer.reason as Error);
    };
    outer.addEventListener("abort", onAbort);
  });
  const late = clock.sleep(limitMs, timer.signal).then((): Limited<T> => {
    controller.abort(new DOMException(`No answer within ${limitMs} ms.`, "TimeoutError"));
    return { kind: "timeout" };
  });
  const done = work(controller.signal).then((value): Limited<T> => ({ kind: "done", value }));
  // The loser of the race may reject later, when nobody listens any more.
  done.catch(() => {});
  late.catch(() => {});
  try {
    return await Promise.race([done, late, aborted]);
  } finally {
    outer.removeEventListener("abort", onAbort);
    timer.abort(new Error("the work is over"));
  }
}
