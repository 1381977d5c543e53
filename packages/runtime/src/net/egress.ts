/**
 * HTTP to addresses that a model or a user names: the guard against requests that are forged through us (SSRF).
 *
 * E1: an address is judged after name resolution, at the moment of connecting, and the connection goes to exactly the
 *     address that was judged: a name that resolves differently a moment later (DNS rebinding) gains nothing.
 * E2: every connection of every redirect passes the guard.
 * E3: addresses of no honest use (link-local with the clouds' metadata services, multicast, reserved) stay closed even
 *     where private ones are allowed.
 * E4: an answer's size is bounded while it is read, after decompression.
 */
import { lookup as resolveName } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { callbackify } from "node:util";

import { Agent, buildConnector, fetch, Headers } from "undici";
import type { Response } from "undici";

import { AstromeshError } from "../core/index.ts";

/** What kind of place an address is. `forbidden` ones are never connected to. */
export type AddressClass = "public" | "private" | "forbidden";

/** Where requests may go. */
export interface EgressPolicy {
  /** Reach private, shared (CGNAT) and loopback addresses too. */
  readonly allowPrivate: boolean;
  /**
   * The only hosts that may be asked: `api.example.com`, `*.example.com`, each with `:port` if only that one is meant.
   * Null: any. The list narrows; it does not open private addresses.
   */
  readonly hosts: readonly string[] | null;
}

/** A request under a policy. */
export interface EgressRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers that must not leave the first URL's origin, such as keys. They win over `headers`. */
  readonly secretHeaders: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly policy: EgressPolicy;
  /** What of the answer's body is read; the rest is cut off. Bytes. */
  readonly maxResponseBytes: number;
  /** Bounds the whole request in time. */
  readonly signal: AbortSignal;
}

/** The answer to a request, after redirects. */
export interface EgressResponse {
  readonly status: number;
  /** The address that answered in the end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The body was longer than `maxResponseBytes`. */
  readonly truncated: boolean;
}

/** Guarded HTTP. */
export interface Egress {
  /**
   * Rejects with `tool_denied` (policy), `tool_invalid_arguments` (no usable URL or headers), `tool_failed` (no
   * connection, too many redirects), or the signal's reason.
   */
  request(request: EgressRequest): Promise<EgressResponse>;
  /** Closes idle connections and ends those under way. Idempotent. */
  stop(): Promise<void>;
}

/** All addresses of a name. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

const CONNECT_TIMEOUT_MS = 10_000;
/** A server that says nothing for so long is given up, whatever the request's own signal allows. */
const SILENCE_TIMEOUT_MS = 120_000;
const MAX_REDIRECTS = 5;

/** Makes guarded HTTP. `resolve` is the system's resolver unless a test brings its own. */
export function createEgress(deps: { readonly resolve?: ResolveHost } = {}): Egress {
  const resolve = deps.resolve ?? systemResolver;
  // One pool for each policy: a connection that one tool may use must not serve another that may not.
  const pools = { open: createPool(resolve, true), guarded: createPool(resolve, false) };
  return {
    request: async (request) => {
      try {
        return await follow(request, request.policy.allowPrivate ? pools.open : pools.guarded);
      } catch (thrown) {
        request.signal.throwIfAborted();
        throw asOutcome(thrown, request);
      }
    },
    stop: async () => {
      await Promise.all(Object.values(pools).map(async (pool) => pool.destroy()));
    },
  };
}

/**
 * Special addresses by IANA's registries (iana-ipv4-special-registry, iana-ipv6-special-registry), and metadata
 * services that stand outside of them: Alibaba's in the shared range, Azure's in the public one, Amazon's and Google's
 * in the private range of IPv6.
 */
const PRIVATE_V4 = "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15";
const FORBIDDEN_V4 =
  "0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.51.100.0/24 203.0.113.0/24 " +
  "224.0.0.0/4 240.0.0.0/4 100.100.100.200/32 168.63.129.16/32";
const PRIVATE_V6 = "::1/128 fc00::/7";
const FORBIDDEN_V6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20 fd00:ec2::/32 fd20:ce::/32";
/** IPv4 addresses in IPv6 clothes (RFC 4291 2.5.5.2 and RFC 6052) are judged as what they carry. */
const V4_PREFIXES = ["::ffff:", "64:ff9b::"];
const GLOBAL_V6 = "2000::/3 ::ffff:0.0.0.0/96 64:ff9b::0.0.0.0/96";

const PRIVATE = blockList(PRIVATE_V4, PRIVATE_V6);
const FORBIDDEN = blockList(FORBIDDEN_V4, FORBIDDEN_V6);
const GLOBAL = blockList("", GLOBAL_V6);

/** The class of an IP address. Whatever is not known to be public is closed; text that is no address is forbidden. */
export function classOfAddress(address: string): AddressClass {
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return "forbidden";
  const family = version === 4 ? "ipv4" : "ipv6";
  if (FORBIDDEN.check(address, family)) return "forbidden";
  if (PRIVATE.check(address, family)) return "private";
  return version === 4 || GLOBAL.check(address, family) ? "public" : "forbidden";
}

function blockList(v4: string, v6: string): BlockList {
  const list = new BlockList();
  for (const [net, bits] of subnets(v4)) {
    list.addSubnet(net, bits, "ipv4");
    for (const prefix of V4_PREFIXES) list.addSubnet(prefix + net, 96 + bits, "ipv6");
  }
  for (const [net, bits] of subnets(v6)) list.addSubnet(net, bits, "ipv6");
  return list;
}

function subnets(list: string): [net: string, bits: number][] {
  return [...list.matchAll(/(\S+)\/(\d+)/g)].map(([, net = "", bits]) => [net, Number(bits)]);
}

async function systemResolver(hostname: string): Promise<readonly string[]> {
  return (await resolveName(hostname, { all: true })).map((entry) => entry.address);
}

/** Connections that are opened only to addresses which the policy allows. */
function createPool(resolve: ResolveHost, allowPrivate: boolean): Agent {
  const judge = (host: string, address: string): void => {
    const kind = classOfAddress(address);
    if (kind === "public" || (kind === "private" && allowPrivate)) return;
    const named = host === address ? address : `${host} (${address})`;
    const why = kind === "private" ? "is a private address, which this tool may not reach" : "may not be reached";
    throw new AstromeshError("tool_denied", `${named} ${why}`);
  };
  // One refused address refuses the name: a mixed answer is how rebinding looks.
  const lookup = async (hostname: string): Promise<{ address: string; family: number }[]> => {
    const addresses = await resolve(hostname);
    for (const address of addresses) judge(hostname, address);
    if (addresses.length === 0) throw new Error(`${hostname} has no address`);
    return addresses.map((address) => ({ address, family: isIP(address) }));
  };
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    // With this, sockets ask for all addresses of a name at once.
    autoSelectFamily: true,
    lookup: callbackify(async (hostname: string, _options: object) => lookup(hostname)),
  });
  return new Agent({
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
    connect: (options, callback) => {
      try {
        // Sockets do not look literal addresses up, so they are judged here.
        if (isIP(options.hostname) !== 0) judge(options.hostname, options.hostname);
      } catch (refusal) {
        callback(refusal as Error, null);
        return;
      }
      connect(options, callback);
    },
  });
}

async function follow(request: EgressRequest, pool: Agent): Promise<EgressResponse> {
  let url = parseUrl(request.url);
  const { origin } = url;
  let { method, body } = request;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    checkUrl(url, request.policy);
    const headers = headersFor(request, url.origin === origin);
    const response = await fetch(url, {
      method,
      headers,
      body,
      redirect: "manual",
      dispatcher: pool,
      signal: request.signal,
    });
    const location = isRedirect(response.status) ? response.headers.get("location") : null;
    if (location === null) return await read(response, url, request.maxResponseBytes);
    await response.body?.cancel();
    url = parseUrl(location, url);
    // The Fetch standard's rule (https://fetch.spec.whatwg.org/#http-redirect-fetch, step 12).
    const becomesGet = response.status === 303 ? method !== "HEAD" : response.status <= 302 && method === "POST";
    if (becomesGet) {
      method = "GET";
      body = null;
    }
  }
  throw new AstromeshError("tool_failed", `${request.url} redirects more than ${MAX_REDIRECTS} times`);
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function parseUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new AstromeshError("tool_invalid_arguments", `"${text}" is not a URL`);
  return new URL(text, base);
}

function checkUrl(url: URL, policy: EgressPolicy): void {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new AstromeshError("tool_denied", `only http and https may be used, not ${url.protocol}//`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new AstromeshError("tool_denied", "a URL may not hold a user name or a password");
  }
  if (policy.hosts !== null && !policy.hosts.some((pattern) => matchesHost(url, pattern))) {
    throw new AstromeshError("tool_denied", `${url.host} is not among the hosts that this tool may reach`);
  }
}

/** True when a pattern of `EgressPolicy.hosts` covers the URL's host. */
function matchesHost(url: URL, pattern: string): boolean {
  const [, name = pattern, port] = /^(.*?)(?::(\d+))?$/.exec(pattern.toLowerCase()) ?? [];
  const actualPort = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (port !== undefined && port !== actualPort) return false;
  const host = url.hostname.replace(/\.$/, "");
  return name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name;
}

/** Away from the first origin, keys and cookies stay behind. */
function headersFor(request: EgressRequest, sameOrigin: boolean): Headers {
  const headers = new Headers({ "user-agent": "astromesh", ...request.headers });
  if (sameOrigin) {
    for (const [name, value] of Object.entries(request.secretHeaders)) headers.set(name, value);
  } else {
    headers.delete("authorization");
    headers.delete("cookie");
  }
  return headers;
}

async function read(response: Response, url: URL, maxBytes: number): Promise<EgressResponse> {
  const chunks: Uint8Array[] = [];
  let left = maxBytes;
  let truncated = false;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    chunks.push(bytes.subarray(0, left));
    truncated = bytes.length > left;
    left -= Math.min(left, bytes.length);
    if (truncated) break;
  }
  const headers = Object.fromEntries(response.headers);
  return { status: response.status, url: url.href, headers, body: Buffer.concat(chunks), truncated };
}

/** Undici wraps what the connector threw; bad header names and values are TypeErrors without a cause. */
function asOutcome(thrown: unknown, request: EgressRequest): AstromeshError {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  if (cause instanceof AstromeshError) return cause;
  const message = cause instanceof Error ? cause.message || ("code" in cause ? String(cause.code) : cause.name) : "";
  const code = cause === thrown && thrown instanceof TypeError ? "tool_invalid_arguments" : "tool_failed";
  return new AstromeshError(code, `${request.method} ${request.url}: ${message}`, { cause: thrown });
}
