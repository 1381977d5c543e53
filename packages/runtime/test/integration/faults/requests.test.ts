import { describe, expect, test } from "vitest";

import { framesOf } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";
import type { TestNode } from "../../harness/index.ts";
import { agentOn, ask, begin, run, runReaches } from "./answers.ts";
import { shareNode } from "./shared-node.ts";

/** Well below every timeout of the node: what must happen "at once" happens within this. */
const AT_ONCE_MS = 1_000;

const runtime = JSON.stringify({
  apiVersion: "astromesh/v1",
  kind: "RuntimeConfig",
  spec: { api: { host: "127.0.0.1" }, runs: { concurrency: 3, queue: 2, session_wait: "200ms" } },
});

const shared = shareNode((provider) => ({
  files: {
    "runtime.yaml": runtime,
    ...agentOn(provider, "a", { memory: { conversational: { strategy: "sliding_window", max_turns: 5 } } }),
    ...agentOn(provider, "brief", { orchestration: { timeout: "300ms" } }),
  },
}));

describe("bodies", () => {
  test.each([
    ["/v1/agents/a/run", { query: 5 }, "query"],
    ["/v1/agents/a/run", {}, "query"],
    ["/v1/agents/a/run", { query: "x", session_id: "" }, "session_id"],
    ["/v1/agents/a/run", { query: "x", wait_ms: -1 }, "wait_ms"],
    ["/v1/agents/a/run", { query: "x", on_disconnect: "explode" }, "on_disconnect"],
    ["/v1/agents/a/run", { query: "x", images: [{ url: "file:///etc/passwd" }] }, "images.0.url"],
    ["/v1/agents/a/run", { query: "x", contxt: {} }, "contxt"],
    ["/v1/runs", { agent: 7, query: "x" }, "agent"],
    ["/v1/runs", { agent: "a" }, "query"],
    ["/v1/runs", { agent: "a", query: "x", wait_ms: 5 }, "wait_ms"],
    ["/v1/tools/execute", { tool_name: 7 }, "tool_name"],
    ["/v1/tools/execute", { tool_name: "calculator", arguments: [] }, "arguments"],
  ])("%s names the field at fault in %j", async (path, json, field) => {
    const { status, body } = await ask(shared.node, path, { json });
    expect({ status, code: body.code }).toEqual({ status: 422, code: "invalid_request" });
    expect(body.errors.map((error) => error.path)).toContain(field);
  });

  test.each([
    ["{", 400, "invalid_json"],
    ["", 400, "invalid_json"],
    [`{"query": "${"x".repeat(1_100_000)}"}`, 413, "payload_too_large"],
    [`{"query": "x", "context": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`, 422, "invalid_request"],
  ])("%.20s is %i", async (body, status, code) => {
    const headers = { "content-type": "application/json" };
    const answer = await ask(shared.node, "/v1/agents/a/run", { method: "POST", body, headers });
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
  });

  test("an agent as a document that is none: every place at once", async () => {
    const document = { kind: "Agent", metadata: { name: "x" }, spec: { modle: {}, tools: [{ name: "a b" }] } };
    const { status, body } = await ask(shared.node, "/v1/agents", { json: document });
    expect({ status, code: body.code }).toEqual({ status: 422, code: "agent_invalid" });
    expect(body.errors.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["apiVersion", "spec", "spec.tools.0.name"]),
    );
  });

  test.each([
    ["POST", "/v1/agents/nobody/run", "agent_not_found"],
    ["GET", "/v1/agents/nobody", "agent_not_found"],
    ["GET", "/v1/runs/run_nothing", "run_not_found"],
    ["POST", "/v1/runs/run_nothing/cancel", "run_not_found"],
    ["GET", "/v1/runs/run_nothing/events", "run_not_found"],
    ["GET", "/v1/nothing", "not_found"],
  ])("%s %s is 404 %s", async (method, path, code) => {
    const more = path.endsWith("/run") ? { json: { query: "x" } } : { method };
    const { status, body } = await ask(shared.node, path, more);
    expect({ status, code: body.code }).toEqual({ status: 404, code });
    if (code === "agent_not_found") expect(body.detail).toContain("nobody");
  });
});

describe("a client that leaves", () => {
  const leave = async (node: TestNode, more: object, reached: Promise<unknown>): Promise<void> => {
    const gone = new AbortController();
    const asked = node.fetch("/v1/agents/a/run", { json: { query: "hello", ...more }, signal: gone.signal });
    const read = asked.then((response) => response.text());
    await reached;
    gone.abort();
    await expect(read).rejects.toThrow("aborted");
  };
  const only = async (node: TestNode, session: string): Promise<string> => {
    const { body } = await ask(node, `/v1/runs?session=${session}`);
    return (body as unknown as { runs: { run_id: string }[] }).runs[0]?.run_id ?? "";
  };

  test.each([{ stream: false }, { stream: true }])("changes nothing: the run goes on (%j)", async (more) => {
    const { node, provider } = shared;
    await provider.hold("end");
    const session_id = `leaves-${more.stream}`;
    await leave(node, { ...more, session_id }, provider.reached("end"));
    await provider.release("end");
    const { response } = await runReaches(node, await only(node, session_id), "completed");
    expect(response).toBe("ok");
  });

  test.each([{ stream: false }, { stream: true }])("and asked for it stops the model's call (%j)", async (more) => {
    const { node, provider } = shared;
    await provider.hold("end");
    const session_id = `cancels-${more.stream}`;
    await leave(node, { ...more, session_id, on_disconnect: "cancel" }, provider.reached("end"));
    await provider.left(1);
    expect(await runReaches(node, await only(node, session_id), "cancelled")).toMatchObject({
      stop_reason: "cancelled",
    });
  });
});

describe("cancel", () => {
  test.each(["request", "token:0", "end"])("stops a model's call at %s at once", async (gate) => {
    const { node, provider } = shared;
    await provider.hold(gate);
    const runId = await begin(node, "a");
    await provider.reached(gate);
    const startedMs = performance.now();
    const { status } = await ask(node, `/v1/runs/${runId}/cancel`, { method: "POST" });
    expect(status).toBe(202);
    await provider.left(1);
    await runReaches(node, runId, "cancelled", AT_ONCE_MS);
    expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
    const again = await ask(node, `/v1/runs/${runId}/cancel`, { method: "POST" });
    expect(again.status).toBe(202);
  });

  test("answers whoever waits with 409; what has ended cannot be cancelled", async () => {
    const { node, provider } = shared;
    await provider.hold("end");
    const waiting = run(node, "a", { session_id: "c" }, { headers: { "idempotency-key": "cancel-me" } });
    await provider.reached("end");
    const { body: same } = await run(
      node,
      "a",
      { session_id: "c", wait_ms: 0 },
      { headers: { "idempotency-key": "cancel-me" } },
    );
    await ask(node, `/v1/runs/${same.run_id}/cancel`, { method: "POST" });
    expect(await waiting).toMatchObject({ status: 409, body: { code: "cancelled", stop_reason: "cancelled" } });

    await provider.release("end");
    const { body } = await run(node, "a");
    const late = await ask(node, `/v1/runs/${body.run_id}/cancel`, { method: "POST" });
    expect(late).toMatchObject({ status: 409, body: { code: "run_ended" } });
  });
});

describe("time", () => {
  test("a wait that is over is 408 with the run's id, and the answer comes later", async () => {
    const { node, provider } = shared;
    await provider.hold("end");
    const { status, body } = await run(node, "a", { wait_ms: 50 });
    expect(status).toBe(408);
    expect(body).toMatchObject({ code: "run_timeout", status: "running" });
    await provider.release("end");
    expect(await runReaches(node, body.run_id, "completed")).toMatchObject({ response: "ok" });
  });

  test("a run's own time that is over is 408 too; the model's call is stopped", async () => {
    const { node, provider } = shared;
    await provider.hold("end");
    const { status, body } = await run(node, "brief");
    expect(status).toBe(408);
    expect(body).toMatchObject({ code: "run_timeout", status: "failed", stop_reason: "timeout" });
    await provider.left(1);
  });
});

describe("an Idempotency-Key", () => {
  const once = { "idempotency-key": "once" };

  test("makes concurrent duplicates one run with one answer, by either route", async () => {
    const { node, provider } = shared;
    await provider.hold("end");
    const answers = [1, 2, 3, 4].map(() => run(node, "a", {}, { headers: once }));
    await provider.reached("end");
    const submitted = await ask(node, "/v1/runs", { json: { agent: "a", query: "hello" }, headers: once });
    await provider.release("end");
    const all = await Promise.all(answers);
    expect(new Set([submitted, ...all].map(({ body }) => body.run_id)).size).toBe(1);
    for (const { status, body } of all)
      expect({ status, response: body.response }).toEqual({ status: 200, response: "ok" });
    expect(await provider.count()).toBe(1);
    expect((await run(node, "a", {}, { headers: once })).body).toEqual(all[0]?.body);
  });

  test("with another body is 422", async () => {
    const { status, body } = await run(shared.node, "a", { query: "something else" }, { headers: once });
    expect({ status, code: body.code }).toEqual({ status: 422, code: "idempotency_key_reused" });
  });
});

describe("sessions", () => {
  test("take one run at a time: a short wait, then 409 and which run it is", async () => {
    const { node, provider } = shared;
    await provider.hold("end");
    const first = await begin(node, "a", { session_id: "s" });
    await provider.reached("end");
    const second = await run(node, "a", { session_id: "s" });
    expect(second).toMatchObject({ status: 409, body: { code: "session_busy" } });
    expect(second.headers.get("retry-after")).toBe("1");
    expect(second.body.detail).toContain(first);
    const patient = run(node, "a", { session_id: "s" });
    await provider.release("end");
    expect((await patient).status).toBe(200);
  });
});

test("a full node refuses with 429 and Retry-After, and loses nothing of what it took", async () => {
  const { node, provider } = shared;
  await provider.hold("end");
  const working = await Promise.all([1, 2, 3].map(() => begin(node, "a")));
  const queued = await Promise.all([1, 2].map(() => begin(node, "a")));
  const refused = await run(node, "a");
  expect(refused).toMatchObject({ status: 429, body: { code: "admission_full" } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  await provider.release("end");
  for (const runId of [...working, ...queued]) await runReaches(node, runId, "completed");
  await waitFor("room again", async () => (await run(node, "a")).status === 200);
});

describe("a run's events", () => {
  const read = async (node: TestNode, runId: string, last: string | null, atMost: number) => {
    const gone = new AbortController();
    const headers = last === null ? {} : { "last-event-id": last };
    const response = await node.fetch(`/v1/runs/${runId}/events`, { headers, signal: gone.signal });
    const seen: { id: string; text: string; type: string }[] = [];
    for await (const { id, event, data } of framesOf(response)) {
      if (event === undefined) continue;
      seen.push({ id: id ?? "", type: event, text: event === "token" ? String(data?.["text"]) : "" });
      if (seen.length === atMost) break;
    }
    gone.abort();
    return seen;
  };

  test("go on behind Last-Event-ID, while it works and after it ended", async () => {
    const { node, provider } = shared;
    const words = Array.from({ length: 20 }, (_, n) => `word${n}`).join(" ");
    await provider.script([{ reply: words }]);
    await provider.hold("token:10");
    const runId = await begin(node, "a");
    await provider.reached("token:10");
    const seen: { id: string; text: string; type: string }[] = [];
    for (let part = 0; part < 3; part += 1) seen.push(...(await read(node, runId, seen.at(-1)?.id ?? null, 3)));
    await provider.release("token:10");
    seen.push(...(await read(node, runId, seen.at(-1)?.id ?? null, 5)));
    await runReaches(node, runId, "completed");
    seen.push(...(await read(node, runId, seen.at(-1)?.id ?? null, 100)));
    expect(seen.map(({ text }) => text).join("")).toBe(words);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(seen.at(-1)?.type).toBe("done");
    const nothing = await node.fetch(`/v1/runs/${runId}/events`, {
      headers: { "last-event-id": seen.at(-1)?.id ?? "" },
    });
    expect(nothing.status).toBe(204);
  });

  test("of a wrong Last-Event-ID are 422", async () => {
    const { node } = shared;
    const { body } = await run(node, "a");
    for (const last of ["nonsense", "run_other:1:1"]) {
      const answer = await ask(node, `/v1/runs/${body.run_id}/events`, { headers: { "last-event-id": last } });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "last-event-id" }] } });
    }
  });
});
