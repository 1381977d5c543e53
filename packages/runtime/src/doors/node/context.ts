import type { HttpBindings } from "@hono/node-server";
import type { z } from "@hono/zod-openapi";
import type { Hono } from "hono";

import type { Clock, Principal } from "../../core/index.ts";
import type {
  AgentAdmin,
  CatalogSource,
  Logger,
  ModelGateway,
  RunPlaces,
  Runs,
  SessionMemory,
} from "../../core/ports/index.ts";
import type { PeerStatusBody } from "../../wire/index.ts";
import type { Drain } from "../drain.ts";
import type { PeerCaller, PeerGate } from "../peer-gate.ts";

/** What the door serves to other nodes: what this node itself has. */
export interface NodeDoorDeps {
  readonly gate: PeerGate;
  /** What this node says of itself. */
  readonly status: () => PeerStatusBody;
  /** Runs at work here: goes with every answer. */
  readonly depth: () => number;
  /** The runs that a request which came through these nodes (ids) may reach. */
  readonly runsFor: (via: readonly string[]) => Runs;
  readonly places: RunPlaces;
  readonly catalog: CatalogSource;
  /** Null on a node that runs no agents. */
  readonly agents: AgentAdmin | null;
  readonly memory: SessionMemory;
  /** Null on a node without the service inference. */
  readonly models: ModelGateway | null;
  readonly drain: Drain;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How it serves it. */
export interface NodeDoorOptions {
  /** The largest body, in bytes: prompts with images. @default 67108864 */
  readonly bodyLimitBytes?: number;
  /** How long a stream may be silent before a comment is sent, in milliseconds. @default 5000 */
  readonly keepAliveMs?: number;
}

/** Hono's types for this door. */
export interface NodeDoorEnv {
  readonly Bindings: Partial<HttpBindings>;
}

/** The door's Hono app. */
export type NodeDoorApp = Hono<NodeDoorEnv>;

/** A request between nodes, checked. */
export interface PeerCall<B> {
  readonly body: B;
  readonly caller: PeerCaller;
  /** Aborts when the sender has left or its deadline is over. */
  readonly signal: AbortSignal;
}

/** What a route answers: a value as JSON, or a response of its own. */
export type PeerResult = object | Response;

/** Everything that a group of routes needs to serve itself. */
export interface NodeDoorContext {
  readonly deps: NodeDoorDeps;
  readonly options: Required<NodeDoorOptions>;
  /** Serves a route; see `PeerRoute`. */
  readonly serve: <S extends z.ZodType>(
    route: PeerRoute<S>,
    handler: (call: PeerCall<z.output<S>>) => PeerResult | Promise<PeerResult>,
  ) => void;
}

/** A route between nodes. All are POST. */
export interface PeerRoute<S extends z.ZodType> {
  readonly path: string;
  readonly body: S;
  /** The sender need not know this node's id. @default false */
  readonly anyReceiver?: boolean;
  /** It is answered while the node drains. */
  readonly whileDraining: boolean;
}

/** Whose request it is; what a node asks for itself cannot begin or steer a run. */
export function principalOf(caller: PeerCaller): Principal {
  return caller.principal ?? { id: `node:${caller.nodeId}`, scopes: [] };
}
