import type { Clock } from "../core/index.ts";

/** Given as a reason, because `abort()` alone makes an error with a stack each time: a tenth of a short call. */
const STOPPED = "stopped";

/** Ends a conversation whose other side says nothing for too long. */
export interface SilenceWatch {
  /** Aborts with the parent's reason, or with `onSilence`'s error. */
  readonly signal: AbortSignal;
  /** Something came: the time begins anew. */
  heard(): void;
  /** Our own side is busy; the time stands still until `heard`. */
  pause(): void;
  /** From now on only this long. */
  tighten(limitMs: number): void;
  /** Must be called at the end; lets go of the timer and of the parent. */
  stop(): void;
}

/**
 * A watch over one conversation. It keeps one timer per stretch of silence, not one per piece: a piece only notes
 * the time, and the timer asks how long ago that was.
 *
 * @param limitMs how long the other side may be silent
 */
export function watchSilence(clock: Clock, parent: AbortSignal, limitMs: number, onSilence: () => Error): SilenceWatch {
  const controller = new AbortController();
  const timer = { stop: new AbortController() };
  let limit = limitMs;
  let since: number | null = clock.monotonic();

  const abortWithParent = (): void => {
    controller.abort(parent.reason);
  };
  const keepTime = async (stopped: AbortSignal): Promise<void> => {
    while (!stopped.aborted) {
      const leftMs = since === null ? limit : since + limit - clock.monotonic();
      if (leftMs <= 0) {
        controller.abort(onSilence());
        return;
      }
      await clock.sleep(leftMs, stopped).catch(() => {});
    }
  };
  const stop = (): void => {
    timer.stop.abort(STOPPED);
    parent.removeEventListener("abort", abortWithParent);
  };

  if (parent.aborted) abortWithParent();
  else {
    parent.addEventListener("abort", abortWithParent, { once: true });
    void keepTime(timer.stop.signal);
  }
  return {
    signal: controller.signal,
    heard() {
      since = clock.monotonic();
    },
    pause() {
      since = null;
    },
    tighten(shorterMs) {
      limit = shorterMs;
      since = clock.monotonic();
      timer.stop.abort(STOPPED);
      timer.stop = new AbortController();
      void keepTime(timer.stop.signal);
    },
    stop,
  };
}
