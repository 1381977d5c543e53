import type { HttpBindings } from "@hono/node-server";
import type { OpenAPIHono, RouteConfig, RouteHandler } from "@hono/zod-openapi";
import type { Hono } from "hono";

import type { Clock, Ids, JsonObject, Principal } from "../../core/index.ts";
import type {
  AgentAdmin,
  CatalogSource,
  Logger,
  NodeAdmin,
  RunPlaces,
  Runs,
  SessionMemory,
  ToolOutcome,
  ToolRegistry,
} from "../../core/ports/index.ts";
import type { Authenticator } from "../auth.ts";
import type { Drain } from "../drain.ts";
import type { RateLimiter } from "../rate-limit.ts";
import type { RestRoute } from "./route.ts";

/** Runs one tool outside a run. */
export interface ToolExecutor {
  /** Rejects with `tool_not_found`, `agent_not_found` or `tool_invalid_arguments`; a tool's failure is an outcome. */
  execute(
    call: { readonly name: string; readonly arguments: JsonObject; readonly agent: string | null },
    principal: Principal,
    signal: AbortSignal,
  ): Promise<ToolOutcome>;
}

/** What happened to a request, for metrics. */
export interface RequestFacts {
  readonly method: string;
  /** The route's pattern, such as `/v1/runs/{id}`; `unmatched` when there is none. */
  readonly route: string;
  readonly status: number;
  /** Until the headers were ready; streams go on. Milliseconds. */
  readonly durationMs: number;
}

/** What the door serves. */
export interface RestDeps {
  readonly runs: Runs;
  readonly catalog: CatalogSource;
  readonly agents: AgentAdmin;
  readonly node: NodeAdmin;
  readonly tools: ToolRegistry;
  readonly executor: ToolExecutor;
  readonly memory: SessionMemory;
  /** Which nodes worked on a run; absent on a node that knows no others: this one did. */
  readonly places?: RunPlaces;
  readonly auth: Authenticator;
  /** Requests of a key, or of an address where there are no keys. Null: no limits. */
  readonly limits: RateLimiter | null;
  /** Requests of an address that show no key that this node knows. @default no limit */
  readonly strangers?: RateLimiter;
  readonly drain: Drain;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Routes of another door, served under this one's frame (name header, metrics), and not in its document. */
  readonly mounted?: Hono<{ readonly Bindings: Partial<HttpBindings> }>;
  readonly observe?: (facts: RequestFacts) => void;
}

/** How the door serves it. */
export interface RestOptions {
  /** This node's name, for the `X-Astromesh-*` headers. */
  readonly nodeName: string;
  readonly version: string;
  /** Origins whose web pages may call; `*` for any. @default none */
  readonly corsOrigins?: readonly string[];
  /** The largest body, in bytes. @default 1048576 */
  readonly bodyLimitBytes?: number;
  /** How long a run is waited for when the client does not say, in milliseconds. @default 120000 */
  readonly defaultWaitMs?: number;
  /** How long a stream may be silent before a comment is sent, in milliseconds. @default 15000 */
  readonly keepAliveMs?: number;
}

/** Hono's types for this door. `principal` is set on every route that is not open. */
export interface RestEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: { readonly principal: Principal };
}

/** The door's Hono app. */
export type RestApp = OpenAPIHono<RestEnv>;

/** A route's handler, typed by the route. */
export type RestHandler<R extends RouteConfig> = RouteHandler<R, RestEnv>;

/** Everything that a group of routes needs to serve itself. */
export interface RestContext {
  readonly deps: RestDeps;
  readonly options: Required<RestOptions>;
  /** Serves a route under its rules: the only way in which a route gets into the app. */
  readonly serve: <R extends RestRoute>(route: R, handler: RestHandler<R>) => void;
}
