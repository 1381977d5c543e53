import type { ConfigInput } from "../config/index.ts";
import type { Clock, Random } from "../core/index.ts";
import { createIds } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";
import { openTelemetry } from "../telemetry/index.ts";
import type { Log } from "../telemetry/index.ts";
import { isOpenToOthers, unsignedPeers } from "./doctor.ts";
import { openDataDirectory } from "./identity.ts";
import { meetPeers, startLoops } from "./loops.ts";
import type { Parts } from "./parts.ts";
import { createPidFile } from "./pid-file.ts";
import { createReload, useSnapshot } from "./reload.ts";
import type { Notifier } from "./sd-notify.ts";
import { shutDown } from "./shutdown.ts";
import type { Snapshot } from "./snapshot.ts";
import { createNodeStore } from "./wiring/store.ts";

/** Where whoever starts a node may stand between its parts. A daemon of its own stands nowhere. */
export interface NodeSeams {
  /** Wraps the database before any part has it. */
  readonly store?: (store: Store) => Store;
}

/** What a node is started with. */
export interface BootInput {
  readonly version: string;
  /** Where the snapshot was read from, for reloads. */
  readonly config: ConfigInput;
  readonly snapshot: Snapshot;
  readonly log: Log;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly random: Random;
  readonly seams: NodeSeams;
}

/** A node that serves. */
export interface RunningNode {
  reload(): Promise<void>;
  /** Drains and stops; see shutdown.ts. Idempotent. */
  stop(reason: string): Promise<void>;
  /** Rejects when the node cannot go on, such as on a database of a later release. */
  readonly failed: Promise<never>;
}

/** How long the start waits for a database before it listens without one. */
const STORE_PATIENCE_MS = 3_000;

/** Starts a node, in the order of the daemon guide. What was begun is undone when a step fails. */
export async function boot(input: BootInput): Promise<RunningNode> {
  const { snapshot, log, notifier, clock, random, version, seams } = input;
  const { config } = snapshot;
  const logger = log.logger.child({ node: config.name });
  const { places, observability } = config;
  logger.info("astromeshd started", { version, pid: process.pid, config: places.configFile, profile: config.profile });
  for (const warning of snapshot.warnings) logger.warn(warning);
  for (const notice of snapshot.notices) logger.info(notice);

  // Before anything else: a second daemon must not come near the database of the first.
  const pidFile = createPidFile(places.pidFile);
  const stale = pidFile.check();
  if (stale !== null) logger.warn("A stale PID file is replaced", { path: places.pidFile, pid: stale });
  const ids = createIds(() => clock.now(), random);
  const data = await openDataDirectory(places.dataDir, config.name, ids);

  // The database opens in a thread of its own, and meanwhile the rest of the program is loaded. Should it be away, the
  // node must not fail to say so: it listens, /ready says why, and it tries on.
  const ownStore = createNodeStore(config.store, { clock, ids, logger });
  const store = seams.store?.(ownStore) ?? ownStore;
  const stopping = new AbortController();
  const opened = store.start(stopping.signal);
  opened.catch(() => undefined);

  const { assemble } = await import("./parts.ts");
  const reporting = { version, nodeId: data.identity.nodeId, name: config.name };
  const { otlp } = observability;
  const telemetry = await openTelemetry(reporting, otlp === null ? null : { ...observability, ...otlp });
  const { env } = input.config;
  const parts = assemble({ version, snapshot, data, log, logger, store, telemetry, env, clock, random, ids });
  parts.reload = createReload(parts, input.config, notifier);
  let stopped: Promise<void> | null = null;
  const stop = (reason: string): Promise<void> => {
    stopping.abort(new Error(`the node is stopping: ${reason}`));
    return (stopped ??= shutDown(parts, { pidFile, notifier, reason }));
  };

  try {
    useSnapshot(parts, snapshot);
    sayWhatLoads(parts);
    parts.loop.start();

    await Promise.race([opened, clock.sleep(STORE_PATIENCE_MS)]);
    await parts.server.start();
    const address = parts.server.address();
    logger.info("Start API server", { ...address });

    await meetPeers(parts);
    const resumed = opened.then(() => resume(parts, stopping.signal));
    const failed = failureOf(resumed, stopping.signal);
    if (parts.store.status().ready) await resumed;
    else logger.warn("Started without a database; runs go on when it is back", { ...parts.store.status() });

    logger.info("Write PID file", { path: places.pidFile });
    pidFile.write();
    logger.info("Notify systemd");
    await notifier.ready("Serving requests");
    logger.info("Serving requests", { ...address });
    return {
      stop,
      reload: async () => void (await parts.reload()),
      failed,
    };
  } catch (error) {
    await stop("the start failed");
    throw error;
  }
}

function sayWhatLoads(parts: Parts): void {
  const { logger } = parts;
  const { config, providers, rejected } = parts.current;
  const { agents } = parts.agents.registry.current();
  for (const { errors } of rejected) for (const error of errors) logger.error(error);
  for (const { notices } of agents.values()) for (const notice of notices) logger.info(notice);
  for (const { definition } of agents.values()) {
    const { name } = definition;
    for (const { message } of parts.tools.tools.faults(definition)) logger.warn(`agent ${name}: ${message}`);
  }
  logger.info("Bootstrap runtime", {
    agents: [...agents.keys()],
    rejected: rejected.length,
    providers: [...providers.providers.keys()],
    services: Object.entries(config.services).flatMap(([name, on]) => (on ? [name] : [])),
    store: config.store.kind,
    data: config.places.dataDir,
    node_id: parts.data.identity.nodeId,
    boot: parts.data.identity.boot,
  });
  const unsigned = config.peers.length === 0 ? null : unsignedPeers(config);
  if (unsigned !== null) logger.warn(`NO MESH SECRET: ${unsigned}`);
  if (config.api.keys.length === 0 && isOpenToOthers(config.api.host)) {
    const advice = "set ASTROMESH_API_KEYS, or api.host to 127.0.0.1";
    logger.warn(`NO API KEYS: anybody who reaches ${config.api.host} can run agents here; ${advice}`);
  }
}

/** The database is there: its agents are loaded and the runs that this node left go on. */
async function resume(parts: Parts, stopping: AbortSignal): Promise<void> {
  await parts.storedAgents.load();
  if (stopping.aborted) return;
  if (parts.first.config.services.agents) parts.engine.start();
  startLoops(parts);
}

/** The end of a promise that only matters when it fails on its own, not because the node stops. */
function failureOf(work: Promise<void>, stopping: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    work.catch((error: unknown) => {
      if (!stopping.aborted) reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}
