import type { Clock } from "../core/index.ts";
import { toErrorRecord } from "../core/index.ts";
import type { Logger } from "../core/ports/index.ts";

/**
 * Keeps the node's background loops alive.
 *
 * - S1: a loop that ends before it was told to is started again, after a wait that doubles.
 * - S2: the wait and the count of restarts begin anew only after a loop has lived for `stableMs`.
 * - S3: a loop that uses up its restarts stays down and makes the node unhealthy; nothing else is stopped.
 * - S4: stopping aborts every loop at once and waits for them, at the latest until the grace is over.
 */
export interface Supervisor {
  /** Starts a loop. Its signal aborts when the supervisor stops. */
  start(loop: SupervisedLoop): void;
  stop(options: { readonly graceMs: number }): Promise<void>;
  status(): readonly LoopStatus[];
}

/** A loop and how it is restarted. */
export interface SupervisedLoop {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
  readonly policy?: Partial<RestartPolicy>;
}

/** How a loop is restarted. */
export interface RestartPolicy {
  /** The wait before the first restart; each further one waits twice as long. @default 200 */
  readonly backoffMs: number;
  /** The longest wait. @default 30000 */
  readonly maxBackoffMs: number;
  /** Restarts in a row before the supervisor gives up. @default 8 */
  readonly maxRestarts: number;
  /** A life of this length makes what was before forgotten. @default 60000 */
  readonly stableMs: number;
}

/** How a loop does. */
export interface LoopStatus {
  readonly name: string;
  readonly state: "running" | "backing_off" | "stopped" | "failed";
  /** Restarts in a row. */
  readonly restarts: number;
  /** Why it last ended; null when it never did. */
  readonly lastError: string | null;
}

/** What becomes of a loop when it ends. */
export type LoopEnd = "stopped" | "restarted" | "escalated";

const DEFAULT_POLICY: RestartPolicy = { backoffMs: 200, maxBackoffMs: 30_000, maxRestarts: 8, stableMs: 60_000 };

/** Makes a supervisor; `onEnd` is told of each end of a loop (metrics). */
export function createSupervisor(deps: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEnd?: (loop: string, end: LoopEnd) => void;
}): Supervisor {
  const abort = new AbortController();
  const loops = new Map<string, LoopStatus>();
  const running: Promise<void>[] = [];

  const supervise = async (loop: SupervisedLoop): Promise<void> => {
    const policy = { ...DEFAULT_POLICY, ...loop.policy };
    const set = (change: Partial<LoopStatus>): void => {
      loops.set(loop.name, { ...(loops.get(loop.name) ?? fresh(loop.name)), ...change });
    };
    let restarts = 0;
    while (!abort.signal.aborted) {
      const startedMs = deps.clock.monotonic();
      set({ state: "running", restarts });
      const reason = await endOf(loop, abort.signal);
      if (abort.signal.aborted) break;
      if (deps.clock.monotonic() - startedMs >= policy.stableMs) restarts = 0;
      if (restarts >= policy.maxRestarts) {
        set({ state: "failed", lastError: reason });
        deps.logger.error(`${loop.name} failed ${restarts + 1} times in a row and stays down`, { reason });
        return deps.onEnd?.(loop.name, "escalated");
      }
      const waitMs = Math.min(policy.backoffMs * 2 ** restarts, policy.maxBackoffMs);
      restarts += 1;
      set({ state: "backing_off", restarts, lastError: reason });
      deps.logger.warn(`${loop.name} ended and is restarted in ${waitMs} ms`, { reason, restarts });
      deps.onEnd?.(loop.name, "restarted");
      await deps.clock.sleep(waitMs, abort.signal).catch(() => undefined);
    }
    set({ state: "stopped" });
    deps.onEnd?.(loop.name, "stopped");
  };

  return {
    start(loop) {
      if (loops.has(loop.name)) throw new TypeError(`a loop named ${loop.name} is already supervised`);
      loops.set(loop.name, fresh(loop.name));
      running.push(supervise(loop));
    },
    async stop({ graceMs }) {
      abort.abort(new Error("the node is stopping"));
      await Promise.race([Promise.all(running), deps.clock.sleep(graceMs)]);
    },
    status: () => [...loops.values()],
  };
}

function fresh(name: string): LoopStatus {
  return { name, state: "running", restarts: 0, lastError: null };
}

async function endOf(loop: SupervisedLoop, signal: AbortSignal): Promise<string> {
  try {
    await loop.run(signal);
    return "it returned";
  } catch (error) {
    return toErrorRecord(error).message;
  }
}
