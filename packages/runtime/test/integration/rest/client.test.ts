import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { AstromeshApiError, AstromeshConnectionError, collectText, createClient } from "@astromesh/client";
import type { RunStreamEvent } from "@astromesh/client";
import { describe, expect, it, onTestFinished } from "vitest";

import { startRestServer } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";

const ask = { query: "Hello" };

async function start(): Promise<
  Awaited<ReturnType<typeof startRestServer>> & { client: ReturnType<typeof createClient> }
> {
  const rest = await startRestServer({ keys: [{ id: "ci", key: "k", scopes: ["admin"] }] });
  return { ...rest, client: createClient({ url: `${rest.url}/`, apiKey: "k" }) };
}

describe("the client", () => {
  it("has a method for every route", async () => {
    const { client, node } = await start();
    node.runs.script((runId) => node.runs.complete(runId, "Hi"));
    node.node.lines = [{ at: 0, level: "info", message: "up", fields: {} }];
    expect(await client.health()).toMatchObject({ status: "healthy" });
    expect(await client.ready()).toMatchObject({ status: "ready" });
    node.node.missing = ["database"];
    expect(await client.ready()).toMatchObject({ status: "not_ready", reasons: ["database"] });
    expect(await client.metrics()).toContain("astromesh_up 1");
    expect(await client.system.status()).toMatchObject({ version: "1.2.3" });
    expect(await client.system.doctor()).toMatchObject({ healthy: true });
    expect(await client.system.reload()).toMatchObject({ applied: true });
    expect((await client.providers()).providers).toHaveLength(1);
    expect((await client.config()).settings).toHaveLength(1);
    for await (const line of client.logs({ backlog: 1 })) {
      expect(line.message).toBe("up");
      break;
    }
    expect((await client.agents.list()).count).toBe(2);
    expect((await client.agents.get("helper")).name).toBe("helper");
    const document = { metadata: { name: "mine" } };
    expect((await client.agents.validate(document)).valid).toBe(true);
    expect((await client.agents.create(document)).source).toBe("api");
    expect((await client.agents.replace("mine", document)).name).toBe("mine");
    expect((await client.agents.check("mine")).valid).toBe(true);
    await client.agents.remove("mine");
    expect(await client.agents.run("helper", ask)).toMatchObject({ response: "Hi" });
    const { run_id: runId, trace_id: traceId } = await client.runs.submit({ agent: "helper", ...ask });
    expect((await client.runs.list({ limit: 1 })).runs).toMatchObject([{ status: "completed" }]);
    expect((await client.runs.get(runId)).response).toBe("Hi");
    expect((await client.runs.journal(runId)).records).toEqual([]);
    expect((await client.traces.list({ agent: "helper" })).traces).toHaveLength(2);
    expect((await client.traces.get(traceId)).runs).toHaveLength(1);
    expect((await client.tools.list()).count).toBe(2);
    expect((await client.tools.builtin()).count).toBe(1);
    expect((await client.tools.execute({ tool_name: "calculator" })).result).toEqual({ sum: 3 });
    expect((await client.memory.history("helper", "s", { limit: 3 })).limit).toBe(3);
    expect((await client.memory.clear("helper", "s")).cleared).toBe(0);
  });

  it("steers runs", async () => {
    const { client, node } = await start();
    const { run_id: runId } = await client.runs.submit({ agent: "helper", ...ask }, { idempotencyKey: "one" });
    expect((await client.runs.submit({ agent: "helper", ...ask }, { idempotencyKey: "one" })).run_id).toBe(runId);
    await client.runs.signal(runId, { name: "go" });
    await client.runs.approve(runId, { position: "1" });
    await client.runs.reject(runId, { position: "2", reason: "no" });
    await client.runs.resolve(runId, { position: "3", outcome: "retry" });
    expect(node.runs.signals.map(({ name }) => name)).toEqual(["go", "approve:1", "approve:2", "resolve:3"]);
    expect((await client.runs.cancel(runId)).status).toBe("cancelled");
  });

  it("throws what the node says", async () => {
    const { client, node, url } = await start();
    const missing = await client.agents.get("ghost").catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(AstromeshApiError);
    expect(missing).toMatchObject({ status: 404, code: "agent_not_found", detail: "no agent named ghost" });
    await expect(client.runs.submit({ agent: "helper", query: "" })).rejects.toMatchObject({
      code: "invalid_request",
      errors: [{ path: "query" }],
    });
    node.runs.script((runId) => node.runs.fail(runId, { code: "model_timeout", message: "silent", retryable: true }));
    const failed = await client.agents.run("helper", ask).catch((error: unknown) => error);
    expect(failed).toMatchObject({ status: 502, runId: expect.stringMatching(/^run_/) });
    await expect(createClient({ url }).agents.list()).rejects.toMatchObject({ status: 401, code: "unauthorized" });
    await expect(collectText(client.events("run_none"))).rejects.toMatchObject({ status: 404 });
    await expect(collectText(client.agents.stream("helper", { query: "" }))).rejects.toMatchObject({ status: 422 });
    node.drain.begin();
    await expect(client.agents.list()).rejects.toMatchObject({ code: "draining", retryAfterMs: 5_000 });
  });

  it("says that no node is there, and why", async () => {
    const { client, server } = await start();
    await server.stop({ graceMs: 0 });
    const error = await client.health().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AstromeshConnectionError);
    expect(error).toMatchObject({ message: expect.stringContaining("ECONNREFUSED") });
    await expect(collectText(client.events("run_1"))).rejects.toBeInstanceOf(AstromeshConnectionError);
  });

  it("says that the node is gone also when it dies in the middle of its answer", async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === "/v1/agents" ? 200 : 500, { "content-length": "100" });
      response.write('{"agents":', () => response.destroy());
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(client.agents.list()).rejects.toBeInstanceOf(AstromeshConnectionError);
    await expect(client.system.status()).rejects.toBeInstanceOf(AstromeshConnectionError);
    await expect(collectText(client.events("run_1"))).rejects.toMatchObject({ status: 500, code: "http_500" });
  });

  it("gives the caller's reason when the caller stops", async () => {
    const { client, node } = await start();
    const stop = new AbortController();
    const asked = client.agents.run("helper", ask, { signal: stop.signal });
    await waitFor("the run goes", () => node.runs.submitted.length === 1);
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  it("streams a run, and leaves its stream when the loop is left", async () => {
    const { client, node } = await start();
    node.runs.script((runId) => node.runs.emit(runId, { type: "token", text: "a", thread: "main" }));
    const seen: string[] = [];
    for await (const { event } of client.agents.stream("helper", ask)) {
      seen.push(event.type);
      if (event.type === "token") break;
    }
    expect(seen).toEqual(["run.started", "token"]);
    await waitFor("nobody reads any more", () => node.runs.readers === 0);
  });

  it("needs nothing but the web platform", async () => {
    const folder = new URL("../../../../client/src/", import.meta.url);
    const files = (await readdir(folder, { recursive: true })).filter((file) => /(?<!\.test)\.ts$/.test(file));
    for (const file of files) {
      const text = await readFile(new URL(file, folder), "utf8");
      expect([file, /from "node:|\bBuffer\b|\bprocess\./.test(text)]).toEqual([file, false]);
    }
  });
});

describe("watching a run", () => {
  /** A node whose connections the test breaks by hand. */
  async function flaky(answers: ((response: ServerResponse) => void)[]): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(new URL(request.url ?? "", "http://x").searchParams.get("after") ?? "");
      const answer = answers.shift();
      if (answer === undefined) response.destroy();
      else answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }
  const frames =
    (...texts: string[]) =>
    (response: ServerResponse): void => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const text of texts) response.write(text);
    };
  const token = (attempt: number, offset: number, text: string): string =>
    `id: run_1:${attempt}:${offset}\nevent: token\ndata: ${JSON.stringify({ type: "token", text, thread: "main" })}\n\n`;
  const done = (attempt: number, offset: number): string =>
    `id: run_1:${attempt}:${offset}\nevent: done\ndata: {"type":"done","status":"completed","stop_reason":"end","response":"aB","usage":{"input_tokens":0,"output_tokens":0,"total_tokens":0}}\n\n`;

  it("goes on over broken connections and passing errors, behind the last event, and folds retractions", async () => {
    const retract = `id: run_1:2:2\nevent: retract\ndata: {"type":"retract","to":1,"reason":"the owner died"}\n\n`;
    const { url, asked } = await flaky([
      (response) => {
        frames(": hello\n\n", token(1, 1, "a"), token(1, 2, "b").slice(0, 10))(response);
        setImmediate(() => response.destroy());
      },
      (response) => response.writeHead(503, { "retry-after": "1" }).end("{}"),
      (response) => response.destroy(),
      (response) => {
        frames(token(1, 2, "b"))(response);
        response.end(": the node is shutting down\n\n");
      },
      (response) => frames(retract, token(2, 3, "B"), done(2, 4))(response),
    ]);
    const { text, end } = await collectText(createClient({ url }).events("run_1"));
    expect(text).toBe("aB");
    expect(end).toMatchObject({ type: "done", response: "aB" });
    expect(asked).toEqual(["", "run_1:1:1", "run_1:1:1", "run_1:1:1", "run_1:1:2"]);
  });

  it("ends without an event when the run's end was seen before", async () => {
    const { url, asked } = await flaky([(response) => response.writeHead(204).end()]);
    expect(await collectText(createClient({ url }).events("run_1", { after: 7 }))).toEqual({ text: "", end: null });
    expect(asked).toEqual(["7"]);
  });

  it("gives up when nobody answers any more", async () => {
    const { url } = await flaky([
      (response) => {
        frames(token(1, 1, "a"))(response);
        setImmediate(() => response.destroy());
      },
    ]);
    const seen: RunStreamEvent[] = [];
    const watch = async (): Promise<void> => {
      for await (const item of createClient({ url }).events("run_1", { giveUpAfterMs: 1 })) seen.push(item);
    };
    await expect(watch()).rejects.toBeInstanceOf(AstromeshConnectionError);
    expect(seen).toHaveLength(1);
  });

  it("stops when the caller says so, also between two connections", async () => {
    const { url, asked } = await flaky([(response) => response.writeHead(503).end()]);
    const stop = new AbortController();
    const watching = collectText(createClient({ url }).events("run_1", { signal: stop.signal }));
    const stopped = expect(watching).rejects.toThrow("enough");
    await waitFor("the first connection was refused", () => asked.length === 1);
    stop.abort(new Error("enough"));
    await stopped;
  });
});
