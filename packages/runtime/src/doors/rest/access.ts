import type { Context, MiddlewareHandler } from "hono";

import { AstromeshError, hasScope, toAstromeshError } from "../../core/index.ts";
import type { Access } from "../auth.ts";
import type { RateLimiter } from "../rate-limit.ts";
import { peerAddressOf } from "../server.ts";
import type { RestDeps, RestEnv } from "./context.ts";
import { RULES } from "./route.ts";
import type { RestRoute } from "./route.ts";

const KEY_WANTED =
  "this node has no API keys, so this is allowed from its own machine only; set ASTROMESH_API_KEYS and send a key";

type AccessDeps = Pick<RestDeps, "auth" | "limits" | "strangers" | "drain">;

/** Holds a route's rules: not while draining, who asks, how often, and with which scope. */
export function accessTo(route: RestRoute, deps: AccessDeps): MiddlewareHandler<RestEnv> {
  const { scope, guarded = false, whileDraining = false } = route[RULES];
  return async (c, next) => {
    if (deps.drain.draining && !whileDraining) {
      throw new AstromeshError("draining", "the node is shutting down and takes no new work");
    }
    if (scope !== "open") {
      const peerAddress = peerAddressOf(c.env);
      const access = await authenticate(c, deps, peerAddress);
      // Without keys everybody is one principal, and one caller must not use up what all of them have.
      const asker = deps.auth.keyed ? access.principal.id : (peerAddress ?? "");
      await refuseBeyond(deps.limits, asker, `too many requests ${deps.auth.keyed ? "with this key" : "from there"}`);
      if (!access.trusted && (guarded || scope === "admin")) throw new AstromeshError("forbidden", KEY_WANTED);
      if (!hasScope(access.principal, scope)) {
        throw new AstromeshError("forbidden", `the key ${access.principal.id} lacks the scope ${scope}`);
      }
      c.set("principal", access.principal);
    }
    await next();
  };
}

/**
 * Who asks. An address that keeps coming without a key that this node knows is told to wait; a right key from there
 * still passes, because many clients may share the address of a proxy.
 */
async function authenticate(c: Context<RestEnv>, deps: AccessDeps, peerAddress: string | null): Promise<Access> {
  try {
    return deps.auth.authenticate({ headers: c.req.raw.headers, method: c.req.method, peerAddress });
  } catch (thrown) {
    if (toAstromeshError(thrown).code === "unauthorized") {
      await refuseBeyond(deps.strangers, peerAddress ?? "", "too many requests without a key that this node knows");
    }
    throw thrown;
  }
}

async function refuseBeyond(limiter: RateLimiter | null | undefined, asker: string, message: string): Promise<void> {
  const retryAfterMs = (await limiter?.take(asker)) ?? null;
  if (retryAfterMs !== null) throw new AstromeshError("rate_limited", message, { retryAfterMs });
}
