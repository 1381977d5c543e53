import { describe, expect, test } from "vitest";

import { AstromeshError, LOCAL_PRINCIPAL, NO_USAGE } from "../../src/core/index.ts";
import type { SecretRef } from "../../src/core/index.ts";
import type { ModelCall, ModelCallEvent, ModelGateway, SubmitRequest } from "../../src/core/ports/index.ts";
import { startFaultProxy } from "../harness/index.ts";
import { routeOver, startPeer } from "./node-in-process.ts";

const never = new AbortController().signal;

const request = (parts: Partial<SubmitRequest> = {}): SubmitRequest => ({
  agent: "helper",
  input: { query: "hello", images: [], context: {} },
  sessionId: null,
  principal: LOCAL_PRINCIPAL,
  idempotency: null,
  traceparent: null,
  ...parts,
});

describe("runs over peers", () => {
  test("a full node is passed by, and 429 is the answer only when all are", async () => {
    const [a, b] = await Promise.all([startPeer("a"), startPeer("b")]);
    const { front } = await routeOver([a, b]);
    const full = () =>
      new AstromeshError("admission_full", "The node's queue of runs is full.", { retryAfterMs: 1_000 });
    a.node.runs.refuseNext(full());
    const { run } = await front.runs.submit(request());
    expect((await b.node.runs.get(run.runId, LOCAL_PRINCIPAL)).runId).toBe(run.runId);
    a.node.runs.refuseNext(full());
    b.node.runs.refuseNext(full());
    await expect(front.runs.submit(request())).rejects.toMatchObject({ code: "admission_full" });
  });

  test("what may have begun is asked for again with the same key, and is one run", async () => {
    const peer = await startPeer("a");
    const proxy = await startFaultProxy(Number(new URL(peer.url).port));
    const { front } = await routeOver([{ name: "a", url: proxy.url }]);
    // The run is on disk, and the connection breaks before anybody hears of it.
    peer.node.runs.script(() => {
      proxy.set({ kind: "cut" });
      peer.node.runs.script(null);
      setImmediate(() => proxy.set({ kind: "none" }));
    });
    const { run, created } = await front.runs.submit(request());
    expect(created).toBe(false);
    expect(peer.node.runs.submitted.map(({ idempotency }) => idempotency?.key)).toHaveLength(2);
    expect(new Set(peer.node.runs.submitted.map(({ idempotency }) => idempotency?.key)).size).toBe(1);
    expect(await front.runs.list({ limit: 10 }, LOCAL_PRINCIPAL)).toHaveLength(1);
    expect((await front.runs.get(run.runId, LOCAL_PRINCIPAL)).runId).toBe(run.runId);
    await proxy.stop();
  });

  test("a stream that breaks goes on behind the last event that was seen", async () => {
    const peer = await startPeer("a");
    const proxy = await startFaultProxy(Number(new URL(peer.url).port));
    const { front } = await routeOver([{ name: "a", url: proxy.url }]);
    const { run } = await front.runs.submit(request());
    const texts: string[] = [];
    const say = (text: string): void => peer.node.runs.emit(run.runId, { type: "token", text, thread: "main" });
    say("one ");
    for await (const { event } of front.runs.events(run.runId, LOCAL_PRINCIPAL, null, never)) {
      if (event.type !== "token") continue;
      texts.push(event.text);
      if (texts.length === 1) {
        proxy.set({ kind: "cut" });
        proxy.set({ kind: "none" });
        say("two ");
        say("three");
        peer.node.runs.complete(run.runId, "one two three");
      }
    }
    expect(texts.join("")).toBe("one two three");
    await proxy.stop();
  });

  test("a run is found by whoever asks, and what nobody has is not found", async () => {
    const [a, b] = await Promise.all([startPeer("a"), startPeer("b")]);
    const first = await routeOver([a, b]);
    const { run } = await first.front.runs.submit(request());
    const { front } = await routeOver([a, b]);
    expect((await front.runs.get(run.runId, LOCAL_PRINCIPAL)).runId).toBe(run.runId);
    await expect(front.runs.get("run_nobody", LOCAL_PRINCIPAL)).rejects.toMatchObject({ code: "run_not_found" });
    await expect(front.runs.get(run.runId, { id: "other", scopes: ["read"] })).rejects.toMatchObject({
      code: "run_not_found",
    });
    const cancelled = await front.runs.cancel(run.runId, LOCAL_PRINCIPAL);
    expect(cancelled.status).toBe("cancelled");
  });
});

type Said = ModelCallEvent | "break" | AstromeshError;

/** A gateway that says what it is told; `break` ends the stream without an end mark. */
function says(...events: readonly Said[]): ModelGateway & { calls: number } {
  const gateway = {
    calls: 0,
    async *call(): AsyncGenerator<ModelCallEvent> {
      gateway.calls += 1;
      for (const event of events) {
        if (event === "break") return;
        if (event instanceof AstromeshError) throw event;
        yield event;
      }
    },
  };
  return gateway;
}

const text = (said: string): ModelCallEvent => ({ type: "text", text: said });
const finish: ModelCallEvent = { type: "finish", reason: "stop", usage: NO_USAGE, provider: "ollama", model: "m" };

const modelCall = (apiKey: SecretRef | null = null): ModelCall => ({
  policy: {
    strategy: "quality_first",
    candidates: [{ provider: "ollama", model: "m", endpoint: null, apiKey, timeoutMs: 1_000, parameters: {} }],
  },
  messages: [{ role: "user", text: "hello" }],
  tools: [],
  outputSchema: null,
  idempotencyKey: "k",
  traceparent: null,
  agent: "helper",
  runId: "run_1",
});

async function heard(gateway: ModelGateway, call = modelCall()): Promise<ModelCallEvent[]> {
  const events: ModelCallEvent[] = [];
  for await (const event of gateway.call(call, never)) events.push(event);
  return events;
}

describe("models over peers", () => {
  test("what broke off is taken back, and another node answers", async () => {
    const broken = says(text("hel"), "break");
    const whole = says(text("hello"), finish);
    const [a, b] = await Promise.all([startPeer("a", { models: broken }), startPeer("b", { models: whole })]);
    const { routing, local } = await routeOver([a, b]);
    const events = await heard(routing.models(says()));
    expect(events.map(({ type }) => type)).toEqual(["text", "retract", "text", "finish"]);
    expect(routing.places.inferenceNode("run_1")).toBe("b");
    expect(local.logger.lines.filter(({ message }) => message === "routed a model call")).toHaveLength(2);
  });

  test("what breaks off twice is model_stream_broken", async () => {
    const models = says(text("hel"), "break");
    const [a, b] = await Promise.all([startPeer("a", { models }), startPeer("b", { models })]);
    const { routing } = await routeOver([a, b]);
    await expect(heard(routing.models(says()))).rejects.toMatchObject({ code: "model_stream_broken", retryable: true });
    expect(models.calls).toBe(2);
  });

  test("what a model answers is no reason to ask another node", async () => {
    const models = says(new AstromeshError("model_rejected", "no", { details: { attempts: [] } }));
    const [a, b] = await Promise.all([startPeer("a", { models }), startPeer("b", { models })]);
    const { routing } = await routeOver([a, b]);
    const failed = heard(routing.models(says()));
    await expect(failed).rejects.toMatchObject({ code: "model_rejected", message: "no", details: { attempts: [] } });
    expect(models.calls).toBe(1);
  });

  test("an agent with a key of its own is served where its file is", async () => {
    const remote = says(text("there"), finish);
    const peer = await startPeer("a", { models: remote });
    const { routing } = await routeOver([peer]);
    const here = says(text("here"), finish);
    await heard(routing.models(here), modelCall({ from: "env", name: "KEY" }));
    expect([here.calls, remote.calls]).toEqual([1, 0]);
  });

  test("nobody offers inference: the guide's words", async () => {
    const peer = await startPeer("a", { services: ["agents"] });
    const { routing } = await routeOver([peer]);
    await expect(heard(routing.models(says()))).rejects.toMatchObject({
      code: "no_service",
      message: "No available node provides service: inference",
    });
  });
});
