import { AstromeshError } from "../../core/index.ts";
import type { ServiceName, Services } from "../../core/index.ts";
import type { ModelGateway, Runs, SessionMemory, ToolRegistry } from "../../core/ports/index.ts";
import type { ToolExecutor } from "../../doors/index.ts";

/**
 * What a service that is switched off means on a node that stands alone: requests for agents and for models are
 * refused with `no_service`, tools are not offered, sessions are not remembered. What was written before stays
 * readable.
 */
export interface ServiceGate {
  runs(runs: Runs): Runs;
  models(gateway: ModelGateway): ModelGateway;
  tools(registry: ToolRegistry): ToolRegistry;
  executor(executor: ToolExecutor): ToolExecutor;
  memory(memory: SessionMemory): SessionMemory;
}

/** Makes the gate of a node. */
export function createServiceGate(services: Services): ServiceGate {
  return {
    runs: (runs) => (services.agents ? runs : { ...runs, submit: () => Promise.reject(missing("agents")) }),
    models: (gateway) => (services.inference ? gateway : { call: () => refuse("inference") }),
    tools: (registry) => (services.tools ? registry : { ...registry, forAgent: () => new Map() }),
    executor: (executor) => (services.tools ? executor : { execute: () => Promise.reject(missing("tools")) }),
    memory: (memory) => (services.memory ? memory : { ...memory, recall: () => Promise.resolve([]), kept: () => null }),
  };
}

function missing(service: ServiceName): AstromeshError {
  return new AstromeshError("no_service", `No available node provides service: ${service}`);
}

// oxlint-disable-next-line require-yield -- an iterable that only fails
async function* refuse(service: ServiceName): AsyncGenerator<never> {
  throw missing(service);
}
