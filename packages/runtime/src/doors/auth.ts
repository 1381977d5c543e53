import { createHash, timingSafeEqual } from "node:crypto";

import { AstromeshError, LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Principal, Scope } from "../core/index.ts";

/** An API key as the configuration gives it: in clear (from the environment), or as its SHA-256. */
export type ApiKey = {
  /** The principal that the key stands for; runs and sessions belong to it. */
  readonly id: string;
  readonly scopes: readonly Scope[];
} & ({ readonly key: string } | { /** Lower-case hex. */ readonly sha256: string });

/** What authentication looks at. */
export interface Credentials {
  readonly headers: Headers;
  readonly method: string;
  /** The address of the connection's other end; null when unknown. */
  readonly peerAddress: string | null;
}

/** Who asks, and whether to trust it beyond what an open node gives to anybody. */
export interface Access {
  readonly principal: Principal;
  /** By a key, or from this very machine. Guarded routes want it. */
  readonly trusted: boolean;
}

/** Tells who asks. */
export interface Authenticator {
  /** True when keys are configured; without them the node is open. */
  readonly keyed: boolean;
  /** Throws `unauthorized`, or `forbidden` for a web page of another site. */
  authenticate(credentials: Credentials): Access;
}

/** An open node's principal for callers from other machines: everything but administration. */
const REMOTE_PRINCIPAL: Principal = {
  id: LOCAL_PRINCIPAL.id,
  scopes: LOCAL_PRINCIPAL.scopes.filter((scope) => scope !== "admin"),
};

const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;
/** True for an address of this very machine. */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK_ADDRESS.test(address);
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

const sha256 = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

/**
 * Authenticates by API key: `Authorization: Bearer <key>` or `X-API-Key: <key>`.
 *
 * Without keys the node is open: everybody is `local`. Callers from this machine may do everything, others everything
 * but administration. "From this machine" means a loopback peer that asks for a loopback host and is no proxy: a
 * reverse proxy on the same machine, or a name that was rebound to 127.0.0.1, must not make strangers administrators.
 * For the same reason a web page of another site may not change anything on an open node, unless it was invited.
 */
export function createAuthenticator(options: {
  readonly keys: readonly ApiKey[];
  /** Origins whose pages may use a node without keys; `*` for any. @default none */
  readonly corsOrigins?: readonly string[];
}): Authenticator {
  const keys = options.keys.map((key) => ({
    principal: { id: key.id, scopes: key.scopes },
    digest: "key" in key ? sha256(key.key) : Buffer.from(key.sha256, "hex"),
  }));
  for (const { digest, principal } of keys) {
    if (digest.length !== 32)
      throw new AstromeshError("config_invalid", `key ${principal.id}: sha256 is not 64 hex digits`);
  }
  const keyed = keys.length > 0;
  return {
    keyed,
    authenticate(credentials) {
      if (!keyed) return openAccess(credentials, options.corsOrigins ?? []);
      const sent = sentKey(credentials.headers);
      if (sent === null) {
        throw new AstromeshError("unauthorized", "send an API key as `Authorization: Bearer` or `X-API-Key`");
      }
      const digest = sha256(sent);
      let found: Principal | null = null;
      // Every key is compared, so that the time taken does not tell which one was near.
      for (const key of keys) if (timingSafeEqual(key.digest, digest)) found = key.principal;
      if (found === null) throw new AstromeshError("unauthorized", "this node does not know that API key");
      return { principal: found, trusted: true };
    },
  };
}

function sentKey(headers: Headers): string | null {
  const bearer = /^bearer\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "");
  return bearer?.[1] ?? headers.get("x-api-key");
}

function openAccess(credentials: Credentials, corsOrigins: readonly string[]): Access {
  const { headers, method } = credentials;
  const invited = corsOrigins.includes("*") || corsOrigins.includes(headers.get("origin") ?? "");
  if (!SAFE_METHODS.has(method) && !invited && isForeignPage(headers)) {
    throw new AstromeshError("forbidden", "web pages of other sites may not use a node without API keys");
  }
  const trusted = isLocal(credentials);
  return { principal: trusted ? LOCAL_PRINCIPAL : REMOTE_PRINCIPAL, trusted };
}

function isLocal({ headers, peerAddress }: Credentials): boolean {
  if (peerAddress === null || !isLoopbackAddress(peerAddress)) return false;
  if (headers.has("forwarded") || headers.has("x-forwarded-for")) return false;
  return LOOPBACK_HOST.test(headers.get("host") ?? "");
}

/** What browsers say by themselves about a request that a page of another origin makes (Fetch Metadata, Origin). */
function isForeignPage(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "cross-site" || site === "same-site";
  const origin = headers.get("origin");
  return origin !== null && origin.replace(/^https?:\/\//, "") !== headers.get("host");
}
