import type { Parts } from "./parts.ts";

/** How often agents that other nodes wrote to a shared database are looked for. */
const AGENTS_EVERY_MS = 5_000;
/** How often the runs of the store are counted for /metrics. */
const COUNTS_EVERY_MS = 15_000;

/** Starts the node's background loops. */
export function startLoops(parts: Parts): void {
  const { supervisor, clock, store, storedAgents, telemetry } = parts;
  let counts: Awaited<ReturnType<typeof store.runs.count>> | null = null;
  telemetry.metrics.runsStored.observe(() =>
    Object.entries(counts ?? {}).map(([status, value]) => ({ value, labels: { status } })),
  );
  supervisor.start({
    name: "run counts",
    run: (signal) =>
      every(COUNTS_EVERY_MS, signal, async () => {
        if (store.status().ready) counts = await store.runs.count();
      }),
  });
  if (store.status().kind === "postgres") {
    supervisor.start({
      name: "agents of the store",
      run: (signal) =>
        every(AGENTS_EVERY_MS, signal, async () => {
          if (store.status().ready) await storedAgents.load();
        }),
    });
  }

  async function every(delayMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await work();
      await clock.sleep(delayMs, signal);
    }
  }
}

/** Looks for the peers once, then keeps an eye on them. Needs no database: a gateway routes without one. */
export async function meetPeers({ peers, followAgents, supervisor }: Parts): Promise<void> {
  if (peers === null) return;
  await peers.first();
  for (const [name, run] of Object.entries(peers.loops)) supervisor.start({ name, run });
  if (followAgents !== null) supervisor.start({ name: "agents of the peers", run: followAgents });
}
