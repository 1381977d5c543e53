import type { Store } from "../../src/core/ports/index.ts";
import { sampleIds } from "../fakes/sample-run.ts";
import { systemClock } from "../fakes/system-clock.ts";

/** What a contract suite is run on: makes an empty store, not started. The suite starts and stops it. */
export interface StoreUnderTest {
  readonly name: string;
  /** A new, empty database. */
  create(): Promise<Store>;
}

/** What every store under test is made with. */
export const storeDeps = { clock: systemClock, ids: sampleIds };

/** Starts an empty store. */
export async function openStore(under: StoreUnderTest): Promise<Store> {
  const store = await under.create();
  await store.start(AbortSignal.timeout(30_000));
  return store;
}
