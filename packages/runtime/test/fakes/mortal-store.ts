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
  /** Resolves when the process is dead and nothing that it had asked for can reach the disk any more. */
  readonly died: Promise<void>;
  isDead(): boolean;
  kill(): void;
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
  const underWay = new Set<Promise<unknown>>();
  let resolveDied = (): void => {};
  const died = new Promise<void>((resolve) => {
    resolveDied = resolve;
  });
  const kill = (): void => {
    dead = true;
    void Promise.allSettled(underWay).then(resolveDied);
  };

  const pass =
    (method: Method, counts: boolean): Method =>
    async (...args) => {
      if (dead) return new Promise(() => {});
      if (counts) writes += 1;
      const here = counts && death?.atWrite === writes ? death.when : null;
      if (here !== "before") {
        const asked = method(...args);
        underWay.add(asked);
        if (here === "after") kill();
        const answer = await asked.finally(() => underWay.delete(asked));
        if (!dead) return answer;
      } else kill();
      return new Promise(() => {});
    };

  const source = inner as unknown as Record<string, Method>;
  const entries = [...WRITES, ...OTHERS].map((name) => {
    const method = (source[name] as Method).bind(inner);
    return [name, pass(method, (WRITES as readonly string[]).includes(name))];
  });
  return { store: Object.fromEntries(entries) as RunStore, died, isDead: () => dead, kill };
}
