import type { ConfigInput } from "../config/index.ts";
import type { ReloadReport } from "../core/ports/index.ts";
import type { Parts } from "./parts.ts";
import type { Notifier } from "./sd-notify.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

/** Settings that a running node takes over; everything else waits for the next start. */
const TAKEN_OVER = /^(defaults\.|observability\.log_level$)/;

/**
 * Makes the node's reload (SIGHUP, POST /v1/system/reload).
 *
 * - R1: agents, providers and tools change together, between two steps of the event loop: nobody sees half of it.
 * - R2: an error in runtime.yaml, providers.yaml or the environment changes nothing.
 * - R3: an agent file that is wrong changes nothing but its own listing; the agent that it gave before stays.
 * - R4: a run keeps the definition that it began with.
 */
export function createReload(parts: Parts, input: ConfigInput, notifier: Notifier): () => Promise<ReloadReport> {
  let tail: Promise<unknown> = Promise.resolve();

  const reload = async (): Promise<ReloadReport> => {
    await notifier.reloading();
    const report = await readAndUse(parts, input);
    const { generation, agents, errors, applied } = report;
    parts.telemetry.metrics.reloads.add(1, { outcome: applied ? "applied" : "refused" });
    for (const error of errors) parts.logger.error(error);
    if (applied) parts.logger.info("Configuration reloaded", { generation, agents, errors: errors.length });
    else parts.logger.error("Configuration not reloaded: nothing was changed", { errors: errors.length });
    await notifier.ready("Serving requests");
    return report;
  };

  return () => {
    const turn = tail.then(reload);
    tail = turn.catch(() => undefined);
    return turn;
  };
}

async function readAndUse(parts: Parts, input: ConfigInput): Promise<ReloadReport> {
  const read = readSnapshot(input);
  if (!read.ok) {
    const { generation, agents } = parts.agents.registry.current();
    return { generation, agents: agents.size, errors: read.errors, applied: false };
  }
  const later = changedForLater(parts.first, read.snapshot);
  for (const path of later) parts.logger.warn(`${path} changed: it takes effect at the next start`);
  useSnapshot(parts, {
    ...read.snapshot,
    warnings: [...read.snapshot.warnings, ...later.map((path) => `${path} changed since the start`)],
  });
  // What is valid may have changed for the API's agents too.
  if (parts.store.status().ready) await parts.storedAgents.load();
  const { generation, agents, rejected } = parts.agents.registry.current();
  return { generation, agents: agents.size, errors: rejected.flatMap(({ errors }) => errors), applied: true };
}

/** Puts a snapshot in force. Synchronous, and that is the point (R1). */
export function useSnapshot(parts: Parts, snapshot: Snapshot): void {
  parts.log.hide(snapshot.secrets);
  parts.log.setLevel(snapshot.config.observability.logLevel);
  parts.models.use(snapshot);
  parts.agents.registry.loadFiles({ agents: snapshot.agents, rejected: snapshot.rejected });
  parts.current = snapshot;
}

function changedForLater(before: Snapshot, after: Snapshot): string[] {
  const values = new Map(before.origins.map(({ path, value }) => [path, JSON.stringify(value)]));
  return after.origins
    .filter(({ path, value }) => !TAKEN_OVER.test(path) && values.get(path) !== JSON.stringify(value))
    .map(({ path }) => path);
}
