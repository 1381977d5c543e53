import type { Store } from "../../src/core/ports/index.ts";

/** The calls around which a node can be told to die: whatever writes a run, its journal or its stream. */
export const DEADLY_CALLS = ["create", "claim", "append", "appendStream", "signal"] as const;

/** A death at a write: right before the store is asked for it, or when it is durable and nobody has learnt of it. */
export interface Death {
  readonly call: (typeof DEADLY_CALLS)[number];
  /** Which call of the kind, counted from 1 at the process's start. */
  readonly nth: number;
  readonly when: "before" | "after";
}

/** A death as text, for the environment of the process. */
export function formatDeath({ call, nth, when }: Death): string {
  return `${call}:${nth}:${when}`;
}

/** Reads it back; null when there is none. */
export function parseDeath(text: string | undefined): Death | null {
  if (text === undefined) return null;
  const [call, nth, when] = text.split(":");
  return { call: call as Death["call"], nth: Number(nth), when: when as Death["when"] };
}

/** A store that ends its process, as kill -9 does, at the death's write. */
export function withDeath(store: Store, death: Death): Store {
  let calls = 0;
  const method = store.runs[death.call] as (...args: never[]) => Promise<unknown>;
  const deadly = async (...args: never[]): Promise<unknown> => {
    calls += 1;
    const last = calls === death.nth;
    if (last && death.when === "before") return die();
    const result = await method(...args);
    return last ? die() : result;
  };
  return { ...store, runs: { ...store.runs, [death.call]: deadly } };
}

function die(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}
