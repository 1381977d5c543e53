import type { RestContext } from "../context.ts";
import type { RestRoute } from "../route.ts";
import { agentRunRoutes, serveAgentRun } from "./agent-run.ts";
import { agentRoutes, serveAgents } from "./agents.ts";
import { healthRoutes, serveHealth } from "./health.ts";
import { memoryRoutes, serveMemory } from "./memory.ts";
import { nodeRoutes, serveNode } from "./node.ts";
import { runEventRoutes, serveRunEvents } from "./run-events.ts";
import { serveSteering, steeringRoutes } from "./run-steering.ts";
import { runRoutes, serveRuns } from "./runs.ts";
import { serveTools, toolRoutes } from "./tools.ts";
import { serveTraces, traceRoutes } from "./traces.ts";

/** Every route of the REST door, in the order of its document. */
export const REST_ROUTES: readonly RestRoute[] = [
  healthRoutes,
  agentRoutes,
  agentRunRoutes,
  runRoutes,
  runEventRoutes,
  steeringRoutes,
  memoryRoutes,
  toolRoutes,
  traceRoutes,
  nodeRoutes,
].flatMap((group): readonly RestRoute[] => Object.values(group));

/** Serves every route. */
export function serveRoutes(context: RestContext): void {
  serveHealth(context);
  serveAgents(context);
  serveAgentRun(context);
  serveRuns(context);
  serveRunEvents(context);
  serveSteering(context);
  serveMemory(context);
  serveTools(context);
  serveTraces(context);
  serveNode(context);
}
