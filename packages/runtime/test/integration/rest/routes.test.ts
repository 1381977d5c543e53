import { describe, expect, it } from "vitest";

import { AstromeshError } from "../../../src/core/index.ts";
import { agentDefinition, framesOf, loadedAgent, startRestServer, toolEntry } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";

const json = async (response: Response): Promise<unknown> => response.json();

describe("health, readiness and metrics", () => {
  it("answers in the guides' words", async () => {
    const { call } = await startRestServer();
    for (const path of ["/health", "/api/v1/health"]) {
      expect(await (await call("GET", path)).text()).toBe('{"status":"healthy","version":"1.2.3"}');
    }
    expect(await json(await call("GET", "/v1/health"))).toEqual({
      status: "healthy",
      version: "1.2.3",
      uptime_seconds: expect.any(Number),
    });
  });

  it("is ready, or says what is missing", async () => {
    const { node, call } = await startRestServer();
    expect(await json(await call("GET", "/ready"))).toEqual({ status: "ready", detail: "ready", reasons: [] });
    node.node.missing = ["database: refused", "no model"];
    const response = await call("GET", "/ready");
    expect(response.status).toBe(503);
    expect(await json(response)).toEqual({
      status: "not_ready",
      detail: "not ready: database: refused; no model",
      reasons: ["database: refused", "no model"],
    });
  });

  it("serves metrics as Prometheus reads them", async () => {
    const { call } = await startRestServer();
    const response = await call("GET", "/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toContain("astromesh_up 1");
  });

  it("says that it is not part of a mesh", async () => {
    const { call } = await startRestServer();
    const response = await call("GET", "/v1/mesh/state");
    expect(response.status).toBe(503);
    expect(await json(response)).toEqual({ detail: "Mesh not enabled on this node", code: "mesh_disabled" });
  });
});

describe("the node", () => {
  it("shows its state, checks, providers and settings", async () => {
    const { call } = await startRestServer();
    expect(await json(await call("GET", "/v1/system/status"))).toMatchObject({
      version: "1.2.3",
      mode: "dev",
      node: { id: "node_1", name: "here", boot: 1 },
      uptime_seconds: 5,
      agents_loaded: 1,
      services: { api: true, rag: false },
      store: { kind: "sqlite", ready: true, reason: null },
      mesh: null,
    });
    expect(await json(await call("GET", "/v1/system/doctor"))).toEqual({
      healthy: true,
      checks: [{ name: "store", status: "ok", message: "sqlite answers" }],
    });
    expect(await json(await call("GET", "/v1/providers"))).toMatchObject({
      providers: [{ name: "scripted", ok: true, breaker: "closed" }],
    });
    expect(await json(await call("GET", "/v1/config"))).toEqual({
      settings: [{ path: "api.port", value: 8000, origin: "default" }],
    });
  });

  it("reloads, and refuses to when the configuration is broken", async () => {
    const { node, call } = await startRestServer();
    node.node.reloadErrors = ["agents/x.agent.yaml:1:1 broken"];
    expect(await json(await call("POST", "/v1/system/reload"))).toEqual({
      applied: true,
      generation: 2,
      agents: 1,
      errors: ["agents/x.agent.yaml:1:1 broken"],
    });
    node.node.reloadApplied = false;
    const response = await call("POST", "/v1/system/reload");
    expect(response.status).toBe(422);
    expect(await json(response)).toMatchObject({
      code: "config_invalid",
      errors: [{ path: "", message: "agents/x.agent.yaml:1:1 broken" }],
    });
  });

  it("tails its log", async () => {
    const { node, call } = await startRestServer();
    node.node.lines = ["a", "b", "c"].map((message) => ({ at: 0, level: "info" as const, message, fields: { n: 1 } }));
    const response = await call("GET", "/v1/logs?backlog=2");
    const frames = framesOf(response);
    for (const message of ["b", "c"]) {
      expect((await frames.next()).value).toEqual({
        event: "log",
        data: { at: "1970-01-01T00:00:00.000Z", level: "info", message, fields: { n: 1 } },
      });
    }
    await frames.return(undefined);
  });

  it("serves its document and the page that shows it, from disk", async () => {
    const { call } = await startRestServer();
    expect(await json(await call("GET", "/openapi.json"))).toMatchObject({
      openapi: "3.1.0",
      info: { version: "1.2.3" },
    });
    const page = await (await call("GET", "/docs")).text();
    for (const [, path] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await call("GET", path as string)).status).toBe(200);
    }
    expect(page).not.toMatch(/https?:/);
    expect((await call("GET", "/docs/absent.js")).status).toBe(404);
    expect((await call("GET", "/docs/..%2fpackage.json")).status).toBe(404);
  });

  it("tells metrics of every request by the route's pattern", async () => {
    const seen: unknown[] = [];
    const { call } = await startRestServer({
      observe: ({ method, route, status }) => void seen.push([method, route, status]),
    });
    await call("GET", "/v1/agents/helper");
    await call("GET", "/v1/agents/ghost");
    await call("GET", "/nowhere/at/all");
    expect(seen).toEqual([
      ["GET", "/v1/agents/{name}", 200],
      ["GET", "/v1/agents/{name}", 404],
      ["GET", "unmatched", 404],
    ]);
  });
});

describe("agents", () => {
  it("lists those that load and those that do not", async () => {
    const { node, call } = await startRestServer();
    node.agents.reject({ name: "bad", file: "agents/bad.agent.yaml", errors: ["agents/bad.agent.yaml:3:1 no model"] });
    node.agents.reject({
      name: "helper",
      file: "agents/helper.agent.yaml",
      errors: ["agents/helper.agent.yaml:9:2 oops"],
    });
    const body = (await json(await call("GET", "/v1/agents"))) as { agents: unknown[] };
    expect(body).toMatchObject({ count: 3, generation: 1 });
    expect(body.agents).toMatchObject([
      { name: "bad", status: "invalid", errors: ["agents/bad.agent.yaml:3:1 no model"], version: null },
      { name: "helper", status: "ready", errors: ["agents/helper.agent.yaml:9:2 oops"], version: "1.0.0" },
      {
        name: "worker",
        status: "ready",
        tools: ["calculator", "hook"],
        model: { provider: "scripted", model: "fake" },
      },
    ]);
    expect(await json(await call("GET", "/v1/agents/bad"))).toMatchObject({ status: "invalid", definition: null });
  });

  it("shows a definition without its secrets", async () => {
    const { node, call } = await startRestServer();
    const [candidate] = agentDefinition().model.default.candidates;
    if (candidate === undefined) throw new Error("the fake has a candidate");
    const apiKey = { from: "file", owner: "agents/secret.agent.yaml", path: ["spec", "model"] } as const;
    const config = {
      url: "https://bob:hunter2@example.org",
      headers: { Authorization: "Bearer hunter2" },
      max_tokens: 5,
    };
    node.agents.add(
      loadedAgent(
        agentDefinition({
          name: "secret",
          model: { default: { candidates: [{ ...candidate, apiKey }], strategy: "quality_first" }, roles: {} },
          tools: [toolEntry("hook", { config })],
        }),
      ),
    );
    const response = await call("GET", "/v1/agents/secret");
    const text = await response.text();
    expect(text).not.toContain("hunter2");
    expect(JSON.parse(text)).toMatchObject({
      definition: {
        model: { default: { candidates: [{ api_key: { from: "file", value: "***" }, timeout_ms: 1_000 }] } },
        tools: [{ config: { url: "https://***@example.org", headers: { Authorization: "***" }, max_tokens: 5 } }],
      },
    });
  });

  it("keeps, replaces and removes agents that came by API", async () => {
    const { call } = await startRestServer();
    const document = { apiVersion: "astromesh/v1", kind: "Agent", metadata: { name: "mine" }, spec: {} };
    const created = await call("POST", "/v1/agents", document);
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe("/v1/agents/mine");
    expect(await json(created)).toMatchObject({ name: "mine", source: "api" });
    expect((await call("POST", "/v1/agents", document)).status).toBe(422);
    expect((await call("PUT", "/v1/agents/mine", document)).status).toBe(200);
    const mismatch = await call("PUT", "/v1/agents/other", document);
    expect(mismatch.status).toBe(422);
    expect(await json(mismatch)).toMatchObject({ errors: [{ path: "metadata.name" }] });
    expect(await json(await call("DELETE", "/v1/agents/mine"))).toEqual({ name: "mine", status: "removed" });
    expect((await call("DELETE", "/v1/agents/mine")).status).toBe(404);
    expect((await call("DELETE", "/v1/agents/helper")).status).toBe(409);
    const invalid = await call("POST", "/v1/agents", { kind: "Agent" });
    expect(invalid.status).toBe(422);
    expect(await json(invalid)).toMatchObject({
      code: "agent_invalid",
      errors: [{ path: "metadata.name", message: "is missing" }],
    });
  });

  it("checks definitions without keeping them", async () => {
    const { node, call } = await startRestServer();
    const document = { metadata: { name: "mine" } };
    expect(await json(await call("POST", "/v1/agents/validate", document))).toEqual({
      valid: true,
      errors: [],
      notices: ["spec.knowledge has no effect yet"],
    });
    expect(await json(await call("POST", "/v1/agents/validate", {}))).toMatchObject({ valid: false });
    expect(await json(await call("POST", "/v1/agents/other/validate", document))).toMatchObject({
      valid: false,
      errors: [{ path: "metadata.name" }],
    });
    expect(await json(await call("POST", "/v1/agents/helper/validate"))).toMatchObject({ valid: true });
    expect((await call("POST", "/v1/agents/ghost/validate")).status).toBe(404);
    node.agents.reject({ name: "bad", file: "f", errors: ["f:1:1 broken"] });
    expect(await json(await call("POST", "/v1/agents/bad/validate"))).toMatchObject({
      valid: false,
      errors: [{ path: "", message: "f:1:1 broken" }],
    });
  });
});

describe("memory", () => {
  it("shows and forgets a session", async () => {
    const { node, call } = await startRestServer();
    node.memory.keep("helper", "local", "s/1", {
      runId: "run_1",
      at: 0,
      messages: [
        { role: "user", text: "Hi", images: [{ mediaType: "image/png", source: { data: "aGk=" } }] },
        { role: "assistant", text: "", toolCalls: [{ id: "a", name: "calculator", arguments: { x: 1 } }] },
        { role: "tool", toolCallId: "a", toolName: "calculator", ok: true, text: "1" },
        { role: "assistant", text: "Hello" },
      ],
    });
    const path = "/v1/memory/helper/history/s%2F1";
    expect(await json(await call("GET", path))).toEqual({
      agent: "helper",
      session_id: "s/1",
      limit: 50,
      history: [
        {
          run_id: "run_1",
          at: "1970-01-01T00:00:00.000Z",
          messages: [
            { role: "user", text: "Hi", images: [{ media_type: "image/png", url: null }] },
            { role: "assistant", text: "", tool_calls: [{ id: "a", name: "calculator", arguments: { x: 1 } }] },
            { role: "tool", text: "1", tool_call_id: "a", tool_name: "calculator", ok: true },
            { role: "assistant", text: "Hello" },
          ],
        },
      ],
    });
    expect(await json(await call("DELETE", path))).toEqual({ agent: "helper", session_id: "s/1", cleared: 1 });
    expect(await json(await call("GET", path))).toMatchObject({ history: [] });
    expect((await call("GET", "/v1/memory/ghost/history/s")).status).toBe(404);
    expect((await call("GET", "/v1/memory/helper/history/%00")).status).toBe(422);
  });

  it("is each principal's own", async () => {
    const keys = [
      { id: "ann", key: "a", scopes: ["read"] },
      { id: "root", key: "r", scopes: ["admin"] },
    ] as const;
    const { node, call } = await startRestServer({ keys });
    node.memory.keep("helper", "bob", "s", { runId: "run_1", at: 0, messages: [{ role: "user", text: "Hi" }] });
    const path = "/v1/memory/helper/history/s";
    expect(await json(await call("GET", path, undefined, { "x-api-key": "a" }))).toMatchObject({ history: [] });
    expect((await call("GET", `${path}?principal=bob`, undefined, { "x-api-key": "a" })).status).toBe(403);
    const seen = await call("GET", `${path}?principal=bob`, undefined, { "x-api-key": "r" });
    expect(await json(seen)).toMatchObject({ history: [{ run_id: "run_1" }] });
  });
});

describe("tools", () => {
  it("are listed with the agents that offer them", async () => {
    const { call } = await startRestServer();
    expect(await json(await call("GET", "/v1/tools"))).toMatchObject({
      count: 2,
      tools: [
        { name: "calculator", source: "builtin", effect: "read", agents: ["worker"] },
        { name: "hook", source: "webhook", effect: "once", agents: ["worker"] },
      ],
    });
    expect(await json(await call("GET", "/v1/tools/builtin"))).toMatchObject({
      count: 1,
      tools: [{ name: "calculator" }],
    });
  });

  it("are called, and fail with their code", async () => {
    const { call } = await startRestServer();
    const done = await call("POST", "/v1/tools/execute", { tool_name: "calculator", arguments: { a: 1 } });
    expect(await json(done)).toEqual({ tool: "calculator", ok: true, result: { sum: 3 } });
    const broken = await call("POST", "/v1/tools/execute", { tool_name: "broken" });
    expect([broken.status, await json(broken)]).toEqual([502, { detail: "it broke", code: "tool_failed" }]);
    expect((await call("POST", "/v1/tools/execute", { tool_name: "ghost" })).status).toBe(404);
  });
});

describe("traces", () => {
  it("are listed and shown as a timeline", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.complete(runId, "done"));
    const answer = (await json(await call("POST", "/v1/agents/helper/run", { query: "Hi" }))) as {
      run_id: string;
      trace_id: string;
    };
    expect(await json(await call("GET", "/v1/traces?agent=helper"))).toMatchObject({
      traces: [{ trace_id: answer.trace_id, run_id: answer.run_id, agent: "helper", status: "completed" }],
    });
    node.runs.timelineOf(answer.trace_id, [
      {
        spanId: "a".repeat(16),
        parentSpanId: null,
        runId: answer.run_id,
        kind: "model",
        name: "fake",
        startedAt: 1_000,
        endedAt: 1_250,
        status: "ok",
        attempt: 1,
        nodeId: "node_1",
        attributes: { output_tokens: 2 },
      },
    ]);
    expect(await json(await call("GET", `/v1/traces/${answer.trace_id}`))).toMatchObject({
      trace_id: answer.trace_id,
      runs: [{ run_id: answer.run_id }],
      spans: [{ kind: "model", started_at: "1970-01-01T00:00:01.000Z", duration_ms: 250 }],
    });
    for (const id of ["f".repeat(32), "nonsense", "%00"])
      expect((await call("GET", `/v1/traces/${id}`)).status).toBe(404);
  });
});

describe("a store that is away", () => {
  it("is said to be, and tried again", async () => {
    const { node, call } = await startRestServer();
    node.runs.refuseNext(new AstromeshError("store_unavailable", "the database cannot be reached"));
    const response = await call("POST", "/v1/runs", { agent: "helper", query: "Hi" });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    await waitFor("nothing is logged as a defect", () => node.logger.lines.every(({ level }) => level !== "error"));
  });
});
