import { describe, expect, it } from "vitest";

import { AstromeshError, ERROR_CODES } from "../../../src/core/index.ts";
import type { ErrorCode } from "../../../src/core/index.ts";
import { REST_ERRORS } from "../../../src/doors/index.ts";
import { framesOf, manualClock, startRestServer } from "../../fakes/index.ts";
import type { Frame } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";

const RUN = "/v1/agents/helper/run";

describe("POST /v1/agents/{name}/run", () => {
  it("answers a completed run with everything the caller needs", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) =>
      node.runs.complete(runId, "Hello!", {
        usage: { inputTokens: 3, outputTokens: 2, costUsd: 0.5 },
        modelMs: 7,
        toolMs: 1,
        output: { kind: "greeting" },
      }),
    );
    const response = await call("POST", RUN, { query: "Hello", context: { name: "Ada" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-astromesh-node")).toBe("here");
    expect(response.headers.get("x-astromesh-routed-to")).toBe("here");
    expect(response.headers.get("x-astromesh-inference-node")).toBe("here");
    const body = (await response.json()) as Record<string, unknown>;
    const { run_id, session_id, trace_id, timing, ...rest } = body;
    expect(response.headers.get("x-astromesh-run-id")).toBe(run_id);
    expect(session_id).toMatch(/^ses_/);
    expect(trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(timing).toMatchObject({ model_ms: 7, tool_ms: 1 });
    expect(rest).toEqual({
      status: "completed",
      stop_reason: "end",
      response: "Hello!",
      output: { kind: "greeting" },
      tool_calls: [],
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5, cost_usd: 0.5 },
      model: "fake",
      provider: "scripted",
    });
    expect(node.runs.submitted[0]).toMatchObject({
      agent: "helper",
      input: { query: "Hello", images: [], context: { name: "Ada" } },
      sessionId: null,
      principal: { id: "local" },
      idempotency: null,
      traceparent: null,
    });
  });

  it("lists the tool calls of an agent with tools, without those that were retracted", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => {
      node.runs.emit(runId, { type: "tool_call", id: "a", name: "calculator", arguments: { sum: "1+2" } });
      node.runs.emit(runId, { type: "tool_result", id: "a", name: "calculator", ok: true, preview: "3" });
      node.runs.emit(runId, { type: "tool_call", id: "b", name: "calculator", arguments: {} });
      node.runs.takeOver(runId, 3);
      node.runs.complete(runId, "3");
    });
    const response = await call("POST", "/v1/agents/worker/run", { query: "1+2?" });
    const body = (await response.json()) as { tool_calls: unknown };
    expect(body.tool_calls).toEqual([
      { id: "a", name: "calculator", arguments: { sum: "1+2" }, ok: true, preview: "3" },
    ]);
  });

  it("hands images, session, key and trace to the run", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.complete(runId, "A cat"));
    const traceparent = `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`;
    const images = [{ url: "https://example.org/cat.png" }, { data: "aGk=", media_type: "image/png" }];
    const body = { query: "What is this?", session_id: "s 1", images };
    const response = await call("POST", RUN, body, { traceparent, "idempotency-key": "k1" });
    expect(response.status).toBe(200);
    const submitted = node.runs.submitted[0];
    expect(submitted?.input.images).toEqual([
      { mediaType: "image/*", source: { url: "https://example.org/cat.png" } },
      { mediaType: "image/png", source: { data: "aGk=" } },
    ]);
    expect(submitted).toMatchObject({ sessionId: "s 1", traceparent, idempotency: { key: "k1" } });
    expect(submitted?.idempotency?.bodyDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  it("ignores a malformed traceparent, as the standard says", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.complete(runId, "ok"));
    for (const traceparent of ["nonsense", `00-${"0".repeat(32)}-${"cd".repeat(8)}-01`]) {
      expect((await call("POST", RUN, { query: "Hi" }, { traceparent })).status).toBe(200);
    }
    expect(node.runs.submitted.map((request) => request.traceparent)).toEqual([null, null]);
  });

  it("gives the same run to a repeat with the same key, whatever way it waits", async () => {
    const { node, call } = await startRestServer();
    const key = { "idempotency-key": "same" };
    const first = call("POST", RUN, { query: "Hello" }, key);
    await waitFor("the first request is submitted", () => node.runs.submitted.length === 1);
    const second = call("POST", RUN, { query: "Hello", wait_ms: 60_000 }, key);
    await waitFor("the second request is submitted", () => node.runs.submitted.length === 2);
    const [run] = await node.runs.list({ limit: 1 }, { id: "local", scopes: ["admin"] });
    node.runs.complete(run?.runId ?? "", "once");
    const bodies = await Promise.all([first, second].map(async (response) => (await response).json()));
    expect(bodies[0]).toEqual(bodies[1]);
    const other = await call("POST", RUN, { query: "Something else" }, key);
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ code: "idempotency_key_reused" });
  });

  it("answers 202 when the run parks", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.park(runId, { waitReason: "approval" }));
    const response = await call("POST", RUN, { query: "Pay" });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      status: "waiting",
      run_id: response.headers.get("x-astromesh-run-id"),
    });
  });

  it("answers 408 with the run's id when the wait is over", async () => {
    const { node, call } = await startRestServer();
    const response = await call("POST", RUN, { query: "Think", wait_ms: 0 });
    expect(response.status).toBe(408);
    const body = (await response.json()) as { run_id: string };
    expect(body).toMatchObject({ code: "run_timeout", status: "running" });
    node.runs.complete(body.run_id, "late");
  });

  it("waits two minutes when the client does not say", async () => {
    const clock = manualClock();
    const { node, call } = await startRestServer({ clock });
    const asked = call("POST", RUN, { query: "Think" });
    await waitFor("the request is submitted", () => node.runs.submitted.length === 1);
    clock.advance(119_999);
    let answered = false;
    void asked.then(() => (answered = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    clock.advance(1);
    expect((await asked).status).toBe(408);
  });

  it.each([
    ["model_unavailable", "error", 502],
    ["run_timeout", "timeout", 408],
    ["guardrail_blocked", "guardrail", 422],
    ["budget_exceeded", "error", 429],
    ["run_poison", "poison", 502],
  ] as const)("answers a run that failed with %s by %s", async (code, stopReason, status) => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) =>
      node.runs.fail(
        runId,
        { code, message: "because", retryable: false, details: { attempts: ["a"] } },
        { stopReason },
      ),
    );
    const response = await call("POST", RUN, { query: "Hello" });
    expect(response.status).toBe(status);
    const body = await response.json();
    expect(body).toMatchObject({ detail: "because", code, status: "failed", stop_reason: stopReason });
    expect(body).toMatchObject({ run_id: response.headers.get("x-astromesh-run-id"), details: { attempts: ["a"] } });
  });

  it("answers 409 when the run is cancelled under its client", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => void node.runs.cancel(runId, { id: "local", scopes: ["run"] }));
    const response = await call("POST", RUN, { query: "Hello" });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "cancelled", status: "cancelled" });
  });

  it("maps every error that a port may throw to its status, with Retry-After where waiting helps", async () => {
    const { node, call } = await startRestServer();
    // 421 is said between nodes only; `fetch` would ask once more by itself, as its standard says.
    const codes = (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => code !== "misdirected");
    for (const code of codes) {
      node.runs.refuseNext(new AstromeshError(code, "no", { retryAfterMs: 2_500 }));
      const response = await call("POST", RUN, { query: "Hello" });
      expect([code, response.status]).toEqual([code, REST_ERRORS[code].status]);
      expect(await response.json()).toMatchObject({ code });
      if (code !== "internal" && code !== "unauthorized") expect(response.headers.get("retry-after")).toBe("3");
    }
    node.runs.refuseNext(new AstromeshError("admission_full", "full"));
    expect((await call("POST", RUN, { query: "Hello" })).headers.get("retry-after")).toBe("1");
  });

  it("says nothing of an unexpected error but where the log has it", async () => {
    const { node, call } = await startRestServer();
    node.runs.refuseNext(new Error("password=hunter2"));
    const traceparent = `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`;
    const response = await call("POST", RUN, { query: "Hello" }, { traceparent });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: "internal", trace_id: "ab".repeat(16) });
    expect(text).not.toContain("hunter2");
    expect(node.logger.lines).toMatchObject([{ level: "error", fields: { traceId: "ab".repeat(16) } }]);
  });

  it("streams the run's events when asked by member or by Accept", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => {
      node.runs.emit(runId, { type: "token", text: "Hel", thread: "main" });
      node.runs.emit(runId, { type: "token", text: "lo", thread: "main" });
      node.runs.complete(runId, "Hello");
    });
    for (const [body, headers] of [
      [{ query: "Hello", stream: true }, {}],
      [{ query: "Hello" }, { accept: "text/event-stream" }],
    ] as const) {
      const response = await call("POST", RUN, body, headers);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      const runId = response.headers.get("x-astromesh-run-id");
      const frames: Frame[] = [];
      for await (const frame of framesOf(response)) frames.push(frame);
      expect(frames).toEqual([
        { id: `${runId}:1:1`, event: "run.started", data: { type: "run.started", attempt: 1, agent: "helper" } },
        { id: `${runId}:1:2`, event: "token", data: { type: "token", text: "Hel", thread: "main" } },
        { id: `${runId}:1:3`, event: "token", data: { type: "token", text: "lo", thread: "main" } },
        {
          id: `${runId}:1:4`,
          event: "done",
          data: {
            type: "done",
            status: "completed",
            stop_reason: "end",
            response: "Hello",
            usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0, cost_usd: 0 },
          },
        },
      ]);
    }
  });

  it("refuses a run before the stream begins as any other", async () => {
    const { node, call } = await startRestServer();
    node.runs.refuseNext(new AstromeshError("agent_not_found", "no agent named ghost"));
    const response = await call("POST", "/v1/agents/ghost/run", { query: "Hello", stream: true });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ detail: "no agent named ghost", code: "agent_not_found" });
  });

  describe("when the client leaves", () => {
    const leave = async (body: Record<string, unknown>): Promise<{ cancelled: number; readers: number }> => {
      const { url, node } = await startRestServer();
      const client = new AbortController();
      const asked = fetch(`${url}${RUN}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: "Hello", ...body }),
        signal: client.signal,
      });
      asked.catch(() => undefined);
      await waitFor("the run goes", () => node.runs.submitted.length === 1);
      if (body["stream"] === true) {
        await asked;
        await waitFor("the stream is read", () => node.runs.readers === 1);
      }
      client.abort();
      if (body["on_disconnect"] === "cancel")
        await waitFor("the run is cancelled", () => node.runs.cancelled.length === 1);
      await waitFor("nobody reads any more", () => node.runs.readers === 0);
      expect(node.logger.lines.filter(({ level }) => level === "error")).toEqual([]);
      return { cancelled: node.runs.cancelled.length, readers: node.runs.readers };
    };

    it("goes on by default", async () => {
      expect(await leave({ stream: true })).toEqual({ cancelled: 0, readers: 0 });
    });

    it("cancels the run of a stream if asked to", async () => {
      expect(await leave({ stream: true, on_disconnect: "cancel" })).toEqual({ cancelled: 1, readers: 0 });
    });

    it("cancels the run of a waiting client if asked to", async () => {
      expect(await leave({ on_disconnect: "cancel" })).toEqual({ cancelled: 1, readers: 0 });
    });
  });
});
