import type { MiddlewareHandler } from "hono";

import { AstromeshError, hasScope } from "../../core/index.ts";
import type { Authenticator } from "../auth.ts";
import type { Drain } from "../drain.ts";
import type { RateLimiter } from "../rate-limit.ts";
import { peerAddressOf } from "../server.ts";
import type { RestEnv } from "./context.ts";
import { RULES } from "./route.ts";
import type { RestRoute } from "./route.ts";

const KEY_WANTED =
  "this node has no API keys, so this is allowed from its own machine only; set ASTROMESH_API_KEYS and send a key";

/** Holds a route's rules: not while draining, who asks, how often, and with which scope. */
export function accessTo(
  route: RestRoute,
  deps: { readonly auth: Authenticator; readonly limits: RateLimiter | null; readonly drain: Drain },
): MiddlewareHandler<RestEnv> {
  const { scope, guarded = false, whileDraining = false } = route[RULES];
  return async (c, next) => {
    if (deps.drain.draining && !whileDraining) {
      throw new AstromeshError("draining", "the node is shutting down and takes no new work");
    }
    if (scope !== "open") {
      const access = deps.auth.authenticate({
        headers: c.req.raw.headers,
        method: c.req.method,
        peerAddress: peerAddressOf(c.env),
      });
      const retryAfterMs = (await deps.limits?.take(access.principal.id)) ?? null;
      if (retryAfterMs !== null) {
        throw new AstromeshError("rate_limited", "too many requests with this key", { retryAfterMs });
      }
      if (!access.trusted && (guarded || scope === "admin")) throw new AstromeshError("forbidden", KEY_WANTED);
      if (!hasScope(access.principal, scope)) {
        throw new AstromeshError("forbidden", `the key ${access.principal.id} lacks the scope ${scope}`);
      }
      c.set("principal", access.principal);
    }
    await next();
  };
}
