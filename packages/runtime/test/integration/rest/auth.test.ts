import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { SCOPES } from "../../../src/core/index.ts";
import type { Scope } from "../../../src/core/index.ts";
import { createRateLimiter, createRestDoor, restDocument } from "../../../src/doors/index.ts";
import { startRestServer } from "../../fakes/index.ts";

/** The scope of every route, in its own words: a change here is a change of what keys may do. */
const MATRIX: Readonly<Record<string, Scope | "open">> = {
  "GET /health": "open",
  "GET /v1/health": "open",
  "GET /api/v1/health": "open",
  "GET /ready": "open",
  "GET /metrics": "read",
  "GET /v1/mesh/state": "read",
  "GET /v1/agents": "read",
  "GET /v1/agents/{name}": "read",
  "POST /v1/agents": "admin",
  "PUT /v1/agents/{name}": "admin",
  "DELETE /v1/agents/{name}": "admin",
  "POST /v1/agents/validate": "read",
  "POST /v1/agents/{name}/validate": "read",
  "POST /v1/agents/{name}/run": "run",
  "POST /v1/runs": "run",
  "GET /v1/runs": "read",
  "GET /v1/runs/{run_id}": "read",
  "GET /v1/runs/{run_id}/journal": "read",
  "GET /v1/runs/{run_id}/events": "read",
  "POST /v1/runs/{run_id}/cancel": "run",
  "POST /v1/runs/{run_id}/signal": "run",
  "POST /v1/runs/{run_id}/approve": "approve",
  "POST /v1/runs/{run_id}/reject": "approve",
  "POST /v1/runs/{run_id}/resolve": "approve",
  "GET /v1/memory/{agent}/history/{session}": "read",
  "DELETE /v1/memory/{agent}/history/{session}": "run",
  "GET /v1/tools": "read",
  "GET /v1/tools/builtin": "read",
  "POST /v1/tools/execute": "run",
  "GET /v1/traces": "read",
  "GET /v1/traces/{trace_id}": "read",
  "GET /v1/system/status": "read",
  "GET /v1/system/doctor": "read",
  "POST /v1/system/reload": "admin",
  "GET /v1/providers": "read",
  "GET /v1/config": "admin",
  "GET /v1/logs": "admin",
};

/** On a node without keys, what only its own machine may call. */
const GUARDED = [
  "POST /v1/agents",
  "PUT /v1/agents/{name}",
  "DELETE /v1/agents/{name}",
  "POST /v1/tools/execute",
  "POST /v1/system/reload",
  "GET /v1/config",
  "GET /v1/logs",
];

const split = (entry: string): [string, string] => {
  const [method = "", path = ""] = entry.split(" ");
  return [method, path.replaceAll(/\{.+?\}/g, "x")];
};

const keyFor = (scope: Scope) => ({ id: `${scope}-key`, key: `secret-${scope}`, scopes: [scope] });

describe("keys and scopes", () => {
  it("are declared for every route of the document", () => {
    const declared = Object.entries(restDocument("1").paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(declared.toSorted()).toEqual(Object.keys(MATRIX).toSorted());
  });

  it("hold on every route for every scope", async () => {
    const { call } = await startRestServer({ keys: SCOPES.map(keyFor) });
    for (const [entry, wanted] of Object.entries(MATRIX)) {
      const [method, path] = split(entry);
      const ask = async (headers: Record<string, string>): Promise<number> => {
        const response = await call(method, path, undefined, headers);
        await response.body?.cancel();
        return response.status;
      };
      const without = await ask({});
      expect([entry, without === 401]).toEqual([entry, wanted !== "open"]);
      for (const scope of SCOPES) {
        const status = await ask({ authorization: `Bearer secret-${scope}` });
        const allowed = wanted === "open" || scope === wanted || scope === "admin";
        expect([entry, scope, status === 403 || status === 401]).toEqual([entry, scope, !allowed]);
      }
    }
  });

  it("takes a key as Bearer or X-API-Key, in clear or as its digest", async () => {
    const sha256 = createHash("sha256").update("s3cret").digest("hex");
    const { call } = await startRestServer({ keys: [{ id: "ci", sha256, scopes: ["read"] }] });
    for (const headers of [
      { authorization: "Bearer s3cret" },
      { authorization: "bearer  s3cret" },
      { "x-api-key": "s3cret" },
    ]) {
      expect((await call("GET", "/v1/agents", undefined, headers)).status).toBe(200);
    }
    for (const headers of [
      { authorization: "Bearer wrong" },
      { "x-api-key": sha256 },
      { authorization: "Basic czNjcmV0" },
    ]) {
      const response = await call("GET", "/v1/agents", undefined, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="astromesh"');
      expect(await response.json()).toMatchObject({ code: "unauthorized" });
    }
  });

  it("runs belong to the key's principal", async () => {
    const { node, call } = await startRestServer({ keys: [{ id: "ci", key: "k", scopes: ["run"] }] });
    await call("POST", "/v1/runs", { agent: "helper", query: "Hi" }, { "x-api-key": "k" });
    expect(node.runs.submitted[0]?.principal).toEqual({ id: "ci", scopes: ["run"] });
  });

  it("refuses before it reads a body", async () => {
    const { call } = await startRestServer({ keys: [keyFor("read")] });
    expect((await call("POST", "/v1/runs", "{broken", { "x-api-key": "secret-read" })).status).toBe(403);
  });
});

describe("a node without keys", () => {
  const from = async (peer: string, headers: Record<string, string> = {}) => {
    const { node } = await startRestServer();
    const door = createRestDoor(node, { nodeName: "here", version: "1" });
    return async (entry: string, more: Record<string, string> = {}): Promise<Response> => {
      const [method, path] = split(entry);
      const env = { incoming: { socket: { remoteAddress: peer } } };
      return door.app.request(
        `http://node${path}`,
        { method, headers: { host: "localhost:8000", ...headers, ...more } },
        env,
      );
    };
  };
  const status = async (response: Promise<Response>): Promise<number> => {
    const { body, status } = await response;
    await body?.cancel();
    return status;
  };

  it.each(["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.9.9.9"])(
    "lets its own machine (%s) do everything",
    async (peer) => {
      const ask = await from(peer);
      for (const entry of Object.keys(MATRIX)) expect([entry, await status(ask(entry))]).not.toEqual([entry, 403]);
    },
  );

  it.each([
    ["another machine", "10.0.0.7", {}],
    ["a proxy on its own machine", "127.0.0.1", { "x-forwarded-for": "10.0.0.7" }],
    ["a name that was rebound to its address", "127.0.0.1", { host: "evil.example:8000" }],
  ])("works for %s, but keeps administration and tools to itself", async (_, peer, headers) => {
    const ask = await from(peer, headers);
    for (const entry of Object.keys(MATRIX)) {
      expect([entry, (await status(ask(entry))) === 403]).toEqual([entry, GUARDED.includes(entry)]);
    }
    const refusal = (await (await ask("GET /v1/config")).json()) as { detail: string };
    expect(refusal.detail).toContain("ASTROMESH_API_KEYS");
  });

  it("lets no web page of another site change anything", async () => {
    const ask = await from("127.0.0.1");
    const run = "POST /v1/agents/{name}/run";
    expect(await status(ask(run, { "sec-fetch-site": "cross-site" }))).toBe(403);
    expect(await status(ask(run, { origin: "https://evil.example" }))).toBe(403);
    expect(await status(ask(run, { "sec-fetch-site": "same-origin", origin: "http://localhost:8000" }))).toBe(422);
    expect(await status(ask(run, { origin: "http://localhost:8000" }))).toBe(422);
    expect(await status(ask("GET /v1/agents", { "sec-fetch-site": "cross-site" }))).toBe(200);
  });
});

describe("rate limits", () => {
  it("answer 429 with the time to wait, for each key apart, and leave health alone", async () => {
    const keys = [keyFor("read"), keyFor("admin")];
    const limits = createRateLimiter({ maxRequests: 2, windowMs: 60_000 });
    const { call } = await startRestServer({ keys, limits });
    const ask = async (scope: Scope) => call("GET", "/v1/agents", undefined, { "x-api-key": `secret-${scope}` });
    expect([(await ask("read")).status, (await ask("read")).status]).toEqual([200, 200]);
    const refused = await ask("read");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(await refused.json()).toMatchObject({ code: "rate_limited" });
    expect((await ask("admin")).status).toBe(200);
    expect((await call("GET", "/health")).status).toBe(200);
  });
});

describe("pages of other origins", () => {
  const headers = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
  const run = { agent: "worker", query: "hello" };

  it("are let in where they are invited, with the headers they may read", async () => {
    const rest = await startRestServer({ options: { corsOrigins: ["https://app.example"] } });
    const asked = { ...headers, "access-control-request-method": "POST" };
    const preflight = await rest.call("OPTIONS", "/v1/runs", undefined, asked);
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example");
    const answer = await rest.call("POST", "/v1/runs", run, headers);
    expect(answer.status).toBe(202);
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-astromesh-run-id");
    const stranger = { ...headers, origin: "https://evil.example" };
    expect((await rest.call("POST", "/v1/runs", run, stranger)).status).toBe(403);
  });

  it("are kept out otherwise", async () => {
    const rest = await startRestServer();
    const answer = await rest.call("POST", "/v1/runs", run, headers);
    expect(answer.status).toBe(403);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});
