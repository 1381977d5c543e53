import { describe, expect, it } from "vitest";

import { AstromeshError } from "../../../src/core/index.ts";
import type { JournalRecord } from "../../../src/core/ports/index.ts";
import { agentDefinition, toolEntry } from "../../fakes/agent-definition.ts";
import { manualClock } from "../../fakes/clock.ts";
import { loadedAgent } from "../../fakes/fake-node.ts";
import { framesOf, startRestServer, until } from "../../fakes/rest-server.ts";

const ME = { id: "local", scopes: ["admin"] } as const;

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
    const { call } = await startRestServer({ observe: ({ durationMs: _, ...facts }) => void seen.push(facts) });
    await call("GET", "/v1/agents/helper");
    await call("GET", "/v1/agents/ghost");
    await call("GET", "/nowhere/at/all");
    expect(seen).toEqual([
      { method: "GET", route: "/v1/agents/{name}", status: 200 },
      { method: "GET", route: "/v1/agents/{name}", status: 404 },
      { method: "GET", route: "unmatched", status: 404 },
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

describe("runs", () => {
  it("are submitted, read and listed by pages", async () => {
    const clock = manualClock();
    const { node, call } = await startRestServer({ clock });
    const ids: string[] = [];
    for (let run = 0; run < 5; run += 1) {
      const response = await call("POST", "/v1/runs", { agent: "helper", query: `question ${run}` });
      expect(response.status).toBe(202);
      const body = (await json(response)) as { run_id: string };
      expect(response.headers.get("location")).toBe(`/v1/runs/${body.run_id}`);
      expect(response.headers.get("x-astromesh-run-id")).toBe(body.run_id);
      ids.unshift(body.run_id);
      clock.advance(1);
    }
    const pages: string[][] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const response: Response = await call("GET", `/v1/runs?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      const page = (await response.json()) as { runs: { run_id: string }[]; next_cursor: string | null };
      pages.push(page.runs.map((run) => run.run_id));
      cursor = page.next_cursor;
    }
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    const first = ids[0] as string;
    node.runs.complete(first, "done");
    expect(await json(await call("GET", "/v1/runs?status=completed"))).toMatchObject({ runs: [{ run_id: first }] });
    const run = (await json(await call("GET", `/v1/runs/${first}`))) as Record<string, unknown>;
    expect(run).toMatchObject({
      run_id: first,
      agent: "helper",
      status: "completed",
      stop_reason: "end",
      response: "done",
      usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0, cost_usd: 0 },
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      ended_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(run).not.toHaveProperty("error");
    const going = await json(await call("GET", `/v1/runs/${ids[1]}`));
    expect(going).toMatchObject({ status: "running", stop_reason: null, response: null });
    expect(going).not.toHaveProperty("ended_at");
  });

  it("show why they failed", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.fail(runId, { code: "model_auth", message: "no key", retryable: false }));
    const { run_id } = (await json(await call("POST", "/v1/runs", { agent: "helper", query: "Hi" }))) as {
      run_id: string;
    };
    expect(await json(await call("GET", `/v1/runs/${run_id}`))).toMatchObject({
      status: "failed",
      error: { code: "model_auth", detail: "no key", retryable: false },
    });
  });

  it("are not found when there is none, whatever the id looks like", async () => {
    const { call } = await startRestServer();
    for (const id of ["run_x", "%00", "a%20b", "x".repeat(500)]) {
      for (const path of ["", "/journal", "/events"]) {
        const response = await call("GET", `/v1/runs/${id}${path}`);
        expect(response.status).toBe(404);
        expect(await json(response)).toMatchObject({ code: "run_not_found" });
      }
      expect((await call("POST", `/v1/runs/${id}/cancel`)).status).toBe(404);
    }
  });

  it("take no other principal's run for one's own", async () => {
    const keys = [
      { id: "ann", key: "a", scopes: ["run", "read"] },
      { id: "bob", key: "b", scopes: ["run", "read"] },
      { id: "root", key: "r", scopes: ["admin"] },
    ] as const;
    const { call } = await startRestServer({ keys });
    const asked = await call("POST", "/v1/runs", { agent: "helper", query: "Hi" }, { "x-api-key": "a" });
    const { run_id } = (await json(asked)) as { run_id: string };
    expect((await call("GET", `/v1/runs/${run_id}`, undefined, { "x-api-key": "a" })).status).toBe(200);
    expect((await call("GET", `/v1/runs/${run_id}`, undefined, { "x-api-key": "b" })).status).toBe(404);
    expect((await call("GET", `/v1/runs/${run_id}`, undefined, { "x-api-key": "r" })).status).toBe(200);
  });

  const record = (seq: number, parts: Partial<JournalRecord>): JournalRecord => ({
    seq,
    segment: 0,
    position: String(seq),
    phase: "done",
    kind: "model",
    effectClass: null,
    inputDigest: null,
    payload: null,
    attempt: 1,
    at: 0,
    ...parts,
  });

  it("show their journal", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    node.runs.journalOf(run, [record(1, { kind: "tool", phase: "intent", effectClass: "once", payload: { a: [1] } })]);
    expect(await json(await call("GET", `/v1/runs/${run}/journal`))).toEqual({
      run_id: run,
      records: [
        {
          seq: 1,
          segment: 0,
          position: "1",
          phase: "intent",
          kind: "tool",
          effect_class: "once",
          payload: { a: [1] },
          attempt: 1,
          at: "1970-01-01T00:00:00.000Z",
        },
      ],
    });
  });

  it("are cancelled and signalled", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    const signalled = await call("POST", `/v1/runs/${run}/signal`, { name: "go", payload: [1], signal_id: "s1" });
    expect(signalled.status).toBe(202);
    expect(node.runs.signals).toEqual([{ runId: run, principalId: "local", name: "go", payload: [1], signalId: "s1" }]);
    const cancelled = await call("POST", `/v1/runs/${run}/cancel`);
    expect(cancelled.status).toBe(202);
    expect(await json(cancelled)).toMatchObject({ run_id: run, status: "cancelled" });
    expect((await call("POST", `/v1/runs/${run}/signal`, { name: "go" })).status).toBe(409);
  });

  it("keep signals with a colon for approvals", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    expect((await call("POST", `/v1/runs/${run}/signal`, { name: "approve:3" })).status).toBe(422);
  });

  it("take approvals at a position, or at the call that waits", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    node.runs.journalOf(run, [
      record(1, { kind: "signal", phase: "intent", position: "2" }),
      record(2, { kind: "signal", phase: "done", position: "2" }),
      record(3, { kind: "signal", phase: "intent", position: "4.0.1" }),
      record(4, { kind: "tool", phase: "ambiguous", position: "5" }),
    ]);
    node.runs.park(run, { waitReason: "approval" });
    expect((await call("POST", `/v1/runs/${run}/approve`)).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/reject`, { reason: "too dear" })).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/approve`, { position: "7" })).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/resolve`, { outcome: "done", result: 5 })).status).toBe(202);
    expect(node.runs.signals.map(({ name, payload }) => [name, payload])).toEqual([
      ["approve:4.0.1", { approved: true, reason: null }],
      ["approve:4.0.1", { approved: false, reason: "too dear" }],
      ["approve:7", { approved: true, reason: null }],
      ["resolve:5", { outcome: "done", result: 5, reason: null }],
    ]);
  });

  it("say that there is nothing to approve", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    const idle = await call("POST", `/v1/runs/${run}/approve`);
    expect(idle.status).toBe(422);
    expect(await json(idle)).toMatchObject({ errors: [{ path: "position" }] });
    node.runs.complete(run, "done");
    const ended = await call("POST", `/v1/runs/${run}/approve`);
    expect(ended.status).toBe(409);
    expect(await json(ended)).toMatchObject({ code: "run_ended" });
  });

  async function submitted(node: Awaited<ReturnType<typeof startRestServer>>["node"]): Promise<{ run: string }> {
    const { run } = await node.runs.submit({
      agent: "helper",
      input: { query: "Hi", images: [], context: {} },
      sessionId: null,
      principal: ME,
      idempotency: null,
      traceparent: null,
    });
    return { run: run.runId };
  }
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
    await until("nothing is logged as a defect", () => node.logger.lines.every(({ level }) => level !== "error"));
  });
});
