import type { Variables } from "../config/index.ts";
import type { Clock, Ids, Random } from "../core/index.ts";
import type { Logger, ModelGateway, NodeAdmin, ReloadReport, SessionMemory, Store } from "../core/ports/index.ts";
import { createDrain } from "../doors/index.ts";
import type { Drain, HttpServer } from "../doors/index.ts";
import { createSessionMemory } from "../memory/index.ts";
import type { LocalFront } from "../routing/index.ts";
import type { RunEngine } from "../runs/index.ts";
import { createLoopDelayWatcher, observeProcess } from "../telemetry/index.ts";
import type { Log, LoopDelayWatcher, Metrics, Telemetry, Tracing } from "../telemetry/index.ts";
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
import { nodeDoorDeps } from "./wiring/node-door.ts";
import { countCalls, createNodePeers, createOffers } from "./wiring/peers.ts";
import type { NodePeers, OwnFacts } from "./wiring/peers.ts";
import { createNodeRuns } from "./wiring/runs.ts";
import { createServiceGate } from "./wiring/services.ts";
import type { ServiceGate } from "./wiring/services.ts";
import { observeState } from "./wiring/state-metrics.ts";
import { createNodeTools, createToolExecutor } from "./wiring/tools.ts";
import type { NodeTools } from "./wiring/tools.ts";

/** What the parts are made from. */
export interface PartsInput {
  readonly version: string;
  readonly snapshot: Snapshot;
  readonly data: DataDirectory;
  readonly log: Log;
  /** The log's, with the node's name. */
  readonly logger: Logger;
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly env: Variables;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
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
  /** Null on a node that is told of no others. */
  readonly peers: NodePeers | null;
  /** Keeps the list of the peers' agents current; null without peers. */
  readonly followAgents: ((signal: AbortSignal) => Promise<void>) | null;
  readonly admin: NodeAdmin;
  readonly server: HttpServer;
  readonly supervisor: Supervisor;
  readonly loop: LoopDelayWatcher;
  /** Set by boot, since what reloads is the whole of the parts. */
  reload: () => Promise<ReloadReport>;
}

/** What every part is made with. */
interface Base {
  readonly env: Variables;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
}

/** Puts the parts together. Nothing here runs, listens or touches a disk. */
export function assemble(input: PartsInput): Parts {
  const { version, snapshot, data, log, logger, telemetry, env, clock, random, ids } = input;
  const { metrics, tracing } = telemetry;
  const base: Base = { env, clock, random, ids, logger, metrics, tracing };
  const loop = createLoopDelayWatcher({});
  observeProcess(metrics, loop, version);
  const supervisor = createSupervisor({
    clock,
    logger,
    onEnd: (name, outcome) => metrics.loopEnds.add(1, { loop: name, outcome }),
  });
  const gate = createServiceGate(snapshot.config.services);
  const drain = createDrain();
  const facts = (): OwnFacts => ({
    store: workshop.store,
    catalog: workshop.agents.registry,
    engine: workshop.engine,
    modelCalls: workshop.modelCalls,
    providers: offers,
    draining: () => drain.draining,
  });
  const { identity } = data;
  const peers = createNodePeers(snapshot.config, { ...base, identity, facts });
  const workshop = assembleWorkshop(base, input, gate, peers);
  const offers = createOffers(workshop.models, base);
  const parts: Omit<Parts, Front> = {
    version,
    first: snapshot,
    current: snapshot,
    data,
    log,
    logger,
    clock,
    telemetry,
    supervisor,
    loop,
    peers,
    reload: () => Promise.reject(new Error("the node is starting")),
    ...workshop,
    storedAgents: createStoredAgents({
      store: workshop.store.agents,
      catalog: workshop.agents.registry,
      context: () => parts.current.agentContext,
      publish: (loaded) => void workshop.agents.registry.loadApi(loaded),
      clock,
      logger,
    }),
  };
  return Object.assign(parts, assembleFront(base, parts, workshop, { gate, drain, facts }));
}

/** What performs runs. */
interface Workshop extends Pick<Parts, "store" | "agents" | "models" | "tools" | "engine"> {
  readonly memory: SessionMemory;
  /** This node's own models, whoever asks for them. */
  readonly ownModels: ModelGateway;
  /** Calls to them that are under way. */
  readonly modelCalls: () => number;
}

function assembleWorkshop(
  base: Base,
  { snapshot, data, store }: PartsInput,
  gate: ServiceGate,
  peers: NodePeers | null,
): Workshop {
  const { config } = snapshot;
  const agents = createNodeAgents(base.clock);
  const models = createNodeModels(base, snapshot);
  const { gateway: ownModels, open: modelCalls } = countCalls(models.gateway);
  const { templates, registry: catalog } = agents;
  const tools = createNodeTools({ ...base, cache: store.cache, templates, dataDir: data.path });
  const offered = gate.tools(tools.tools);
  const memory = gate.memory(createSessionMemory({ store: store.conversations, clock: base.clock }));
  const engine = createNodeRuns(config.runs, {
    ...base,
    nodeId: data.identity.nodeId,
    store: store.runs,
    catalog,
    gateway: peers === null ? gate.models(ownModels) : peers.routing.models(ownModels),
    tools: offered,
    memory,
    contextBuilder: createNodeContextBuilder({ ...base, templates, memory, tools: offered }),
  });
  observeState(base.metrics, { store, engine, catalog });
  return { store, agents, models, tools, engine, memory, ownModels, modelCalls };
}

/** The parts that others come to. */
type Front = "admin" | "server" | "followAgents";

/** What people, programs and other nodes come to. */
function assembleFront(
  base: Base,
  parts: Omit<Parts, Front>,
  { store, agents, models, tools, engine, memory, ownModels }: Workshop,
  around: { readonly gate: ServiceGate; readonly drain: Drain; readonly facts: () => OwnFacts },
): Pick<Parts, Front> {
  const { gate, drain, facts } = around;
  const { config } = parts.first;
  const here: LocalFront = {
    runs: gate.runs(engine),
    catalog: agents.registry,
    agents: parts.storedAgents,
    memory,
  };
  const everywhere = parts.peers?.routing.front(here) ?? null;
  const admin = createNodeAdmin({
    version: parts.version,
    data: parts.data,
    snapshot: () => parts.current,
    catalog: here.catalog,
    store,
    providers: (signal) => models.check(signal),
    peers: () => parts.peers?.view.current().peers ?? [],
    draining: () => drain.draining,
    reload: () => parts.reload(),
    loops: () => parts.supervisor.status(),
    ring: parts.log.ring,
    meters: parts.telemetry,
    loop: parts.loop,
    clock: base.clock,
  });
  const server = createNodeServer(config, parts.version, {
    ...base,
    ...(everywhere ?? here),
    ...(parts.peers === null ? {} : { places: parts.peers.routing.places }),
    node: admin,
    tools: gate.tools(tools.tools),
    executor: gate.executor(createToolExecutor({ ...base, tools: tools.tools, catalog: here.catalog })),
    drain,
    observer: createHttpObserver(base),
    nodeDoor: nodeDoorDeps(base, parts, { here, everywhere, ownModels, drain, facts }),
  });
  return { admin, server, followAgents: everywhere?.followAgents ?? null };
}
