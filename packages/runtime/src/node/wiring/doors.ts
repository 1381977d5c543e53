import type { NodeConfig } from "../../config/index.ts";
import {
  createAuthenticator,
  createHttpServer,
  createNodeDoor,
  createRateLimiter,
  createRestDoor,
} from "../../doors/index.ts";
import type { HttpServer, NodeDoorDeps, RateLimiter, RestDeps } from "../../doors/index.ts";
import type { HttpObserver } from "./http-observer.ts";

/** The doors of a node, behind one HTTP server. */
export function createNodeServer(
  config: NodeConfig,
  version: string,
  deps: Omit<RestDeps, "auth" | "limits" | "strangers" | "observe" | "mounted"> & {
    readonly observer: HttpObserver;
    /** What other nodes ask. */
    readonly nodeDoor: NodeDoorDeps;
  },
): HttpServer {
  const { observer, nodeDoor, ...rest } = deps;
  const { host, port, keys, requestsPerMinute, failedAuthPerMinute, bodySizeBytes, corsOrigins } = config.api;
  const perMinute = (maxRequests: number): RateLimiter => createRateLimiter({ maxRequests, windowMs: 60_000 });
  const door = createRestDoor(
    {
      ...rest,
      auth: createAuthenticator({
        keys: keys.map(({ name, key, scopes }) => ({ id: name, key, scopes })),
        corsOrigins,
      }),
      limits: requestsPerMinute === 0 ? null : perMinute(requestsPerMinute),
      strangers: perMinute(failedAuthPerMinute),
      observe: (facts) => observer.answered(facts),
      mounted: createNodeDoor(nodeDoor),
    },
    { nodeName: config.name, version, bodyLimitBytes: bodySizeBytes, corsOrigins },
  );
  const { drain, clock, logger } = deps;
  const fetch = observer.around((request, env) => door.fetch(request, env));
  return createHttpServer({ fetch, drain, clock, logger }, { host, port });
}
