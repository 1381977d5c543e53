import type { RunStore } from "../../src/core/ports/index.ts";

/** Where a process dies: right before one of its writes reaches the disk, or right after. */
export interface Death {
  /** Which write, counted from 1. */
  readonly atWrite: number;
  readonly when: "before" | "after";
}

/** A process's view of a store, up to its death: from then on nothing it asks for is ever answered. */
export interface MortalStore {
  readonly store: RunStore;
  /** Resolves at the death. */
  readonly died: Promise<void>;
  isDead(): boolean;
  kill(): void;
  /** Writes so far. */
  writes(): number;
}

const WRITES = ["append", "claim", "create", "signal"] as const;
const OTHERS = [
  "get",
  "definition",
  "list",
  "count",
  "renewLeases",
  "due",
  "nextWakeAt",
  "journal",
  "thread",
  "appendStream",
  "readStream",
  "streamHead",
  "signals",
  "requestCancel",
  "reserveEffectKey",
  "sweep",
] as const;

type Method = (...args: never[]) => Promise<unknown>;

/** Wraps a store for one process. Without a death it passes everything on until `kill`. */
export function createMortalStore(inner: RunStore, death: Death | null): MortalStore {
  let dead = false;
  let writes = 0;
  let kill = (): void => {};
  const died = new Promise<void>((resolve) => {
    kill = () => {
      dead = true;
      resolve();
    };
  });
  const never = (): Promise<never> => new Promise(() => {});

  const pass =
    (method: Method, counts: boolean): Method =>
    async (...args) => {
      if (dead) return never();
      const mine = counts ? (writes += 1) : 0;
      const here = counts && death?.atWrite === mine;
      if (here && death.when === "before") {
        kill();
        return never();
      }
      if (here) {
        // The write reaches the disk, its answer does not reach the process.
        dead = true;
        await method(...args).catch(() => {});
        kill();
        return never();
      }
      const result = await method(...args);
      return dead ? never() : result;
    };

  const source = inner as unknown as Record<string, Method>;
  const entries = [...WRITES, ...OTHERS].map((name) => {
    const method = (source[name] as Method).bind(inner);
    return [name, pass(method, (WRITES as readonly string[]).includes(name))];
  });
  return {
    store: Object.fromEntries(entries) as RunStore,
    died,
    isDead: () => dead,
    kill: () => kill(),
    writes: () => writes,
  };
}
