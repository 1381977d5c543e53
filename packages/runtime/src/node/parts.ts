import type { Variables } from "../config/index.ts";
import { createIds } from "../core/index.ts";
import type { Clock, Random } from "../core/index.ts";
import type { Logger, NodeAdmin, ReloadReport, Store } from "../core/ports/index.ts";
import { createDrain } from "../doors/index.ts";
import type { HttpServer } from "../doors/index.ts";
import { createSessionMemory } from "../memory/index.ts";
import type { RunEngine } from "../runs/index.ts";
import { createLoopDelayWatcher, observeProcess } from "../telemetry/index.ts";
import type { Log, LoopDelayWatcher, Telemetry } from "../telemetry/index.ts";
import { createNodeAdmin } from "./admin.ts";
import { createStoredAgents } from "./agent-admin.ts";
import type { StoredAgents } from "./agent-admin.ts";
import type { DataDirectory } from "./identity.ts";
import type { Snapshot } from "./snapshot.ts";
import { createSupervisor } from "./supervisor.ts";
import type { Supervisor } from "./supervisor.ts";
import { createNodeAgents, createNodeContextBuilder } from "./wiring/agents.ts";
import type { NodeAgents } from "./wiring/agents.ts";
import { createNodeServer } from "./wiring/doors.ts";
import { createHttpObserver } from "./wiring/http-observer.ts";
import { createNodeModels } from "./wiring/models.ts";
import type { NodeModels } from "./wiring/models.ts";
import { createNodeRuns } from "./wiring/runs.ts";
import { createServiceGate } from "./wiring/services.ts";
import { createNodeStore } from "./wiring/store.ts";
import { createNodeTools, createToolExecutor } from "./wiring/tools.ts";
import type { NodeTools } from "./wiring/tools.ts";

/** What the parts are made from. */
export interface PartsInput {
  readonly version: string;
  readonly snapshot: Snapshot;
  readonly data: DataDirectory;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly env: Variables;
  readonly clock: Clock;
  readonly random: Random;
}

/** Every part of a node that is started, stopped or reloaded. */
export interface Parts {
  readonly version: string;
  /** What was in force at the start. */
  readonly first: Snapshot;
  /** What is in force now; reload swaps it. */
  current: Snapshot;
  readonly data: DataDirectory;
  readonly log: Log;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly store: Store;
  readonly agents: NodeAgents;
  readonly storedAgents: StoredAgents;
  readonly models: NodeModels;
  readonly tools: NodeTools;
  readonly engine: RunEngine;
  readonly admin: NodeAdmin;
  readonly server: HttpServer;
  readonly supervisor: Supervisor;
  readonly loop: LoopDelayWatcher;
  /** Set by boot, since what reloads is the whole of the parts. */
  reload: () => Promise<ReloadReport>;
}

/** Puts the parts together. Nothing runs, listens or touches a disk yet. */
export function assemble(input: PartsInput): Parts {
  const { version, snapshot, data, log, telemetry, env, clock, random } = input;
  const { config } = snapshot;
  const { metrics, tracing } = telemetry;
  const logger = log.logger.child({ node: config.name });
  const ids = createIds(() => clock.now(), random);
  const gate = createServiceGate(config.services);
  const drain = createDrain();
  const loop = createLoopDelayWatcher({});
  observeProcess(metrics, loop, version);

  const store = createNodeStore(config.store, { clock, ids, logger });
  const agents = createNodeAgents(clock);
  const catalog = agents.registry;
  const models = createNodeModels({ env, clock, random, ids, logger, metrics }, snapshot);
  const { templates } = agents;
  const tools = createNodeTools({ env, cache: store.cache, templates, dataDir: data.path, clock });
  const offered = gate.tools(tools.tools);
  const memory = gate.memory(createSessionMemory({ store: store.conversations, clock }));
  const contextBuilder = createNodeContextBuilder({ templates, memory, tools: offered, clock });
  const engine = createNodeRuns(config.runs, {
    nodeId: data.identity.nodeId,
    store: store.runs,
    gateway: gate.models(models.gateway),
    tools: offered,
    ...{ catalog, contextBuilder, memory, clock, ids, random, logger, metrics, tracing },
  });
  const supervisor = createSupervisor({
    clock,
    logger,
    onEnd: (name, outcome) => metrics.loopEnds.add(1, { loop: name, outcome }),
  });
  const storedAgents = createStoredAgents({
    store: store.agents,
    catalog,
    context: () => parts.current.agentContext,
    publish: (loaded) => void catalog.loadApi(loaded),
    clock,
    logger,
  });
  const admin = createNodeAdmin({
    snapshot: () => parts.current,
    providers: (signal) => models.check(signal),
    draining: () => drain.draining,
    reload: () => parts.reload(),
    loops: () => supervisor.status(),
    ring: log.ring,
    meters: telemetry,
    ...{ version, data, catalog, store, loop, clock },
  });
  const executor = createToolExecutor({ tools: tools.tools, catalog, ids });
  const server = createNodeServer(config, version, {
    runs: gate.runs(engine.runs),
    agents: storedAgents,
    node: admin,
    tools: offered,
    observer: createHttpObserver({ metrics, tracing }),
    ...{ catalog, executor, memory, drain, clock, ids, logger },
  });

  const parts: Parts = {
    first: snapshot,
    current: snapshot,
    reload: () => Promise.reject(new Error("the node is starting")),
    ...{ version, data, log, logger, clock, telemetry, store, agents, storedAgents, models, tools, engine },
    ...{ admin, server, supervisor, loop },
  };
  return parts;
}
