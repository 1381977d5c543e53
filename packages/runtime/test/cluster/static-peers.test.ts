import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";

import { framesOf } from "../fakes/rest-server.ts";
import { waitFor } from "../harness/index.ts";
import { ask, startCluster } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { profileNode, workerAt } from "./profile-node.ts";

/** Real daemons on a machine that does other things too. */
const START_MS = 120_000;
vi.setConfig({ testTimeout: START_MS });

describe("gateway, worker, inference", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, START_MS);
  afterEach(() => cluster.provider.reset());
  afterAll(() => cluster.stop());

  test("a run goes gateway, worker, inference, and the answer names them", async () => {
    const { gateway, worker, provider } = cluster;
    const response = await ask(gateway);
    expect(response.status, await response.clone().text()).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-astromesh-node": "gateway",
      "x-astromesh-routed-to": "worker",
      "x-astromesh-inference-node": "inference",
    });
    const answer = (await response.json()) as {
      run_id: string;
      response: string;
      trace_id: string;
      session_id: string;
    };
    expect(answer.response).toBe("ok");
    expect(await provider.count()).toBe(1);

    // Everything about the run can be asked of any node.
    for (const path of [
      `/v1/runs/${answer.run_id}`,
      `/v1/runs/${answer.run_id}/journal`,
      `/v1/traces/${answer.trace_id}`,
    ]) {
      const [there, here] = await Promise.all([worker.fetch(path), gateway.fetch(path)]);
      expect(here.status, path).toBe(200);
      if (!path.includes("traces")) expect(await here.json()).toEqual(await there.json());
      else expect(JSON.stringify(await here.json())).toContain('"kind":"route"');
    }
    const listed = (await (await gateway.fetch("/v1/runs")).json()) as { runs: { run_id: string }[] };
    expect(listed.runs.map(({ run_id }) => run_id)).toContain(answer.run_id);
    const history = await gateway.fetch(`/v1/memory/parrot/history/${answer.session_id}`);
    expect(await history.json()).toMatchObject({ history: [{ run_id: answer.run_id }] });
    const agents = (await (await gateway.fetch("/v1/agents")).json()) as { agents: { name: string }[] };
    expect(agents.agents.map(({ name }) => name)).toContain("parrot");
    expect((await gateway.fetch("/openapi.json")).status).toBe(200);
  });

  test("agents by API reach the worker through the gateway", async () => {
    const { gateway, worker } = cluster;
    const document = {
      apiVersion: "astromesh/v1",
      kind: "Agent",
      metadata: { name: "posted" },
      spec: {
        identity: { description: "posted" },
        model: { primary: { provider: "ollama", model: "fake:latest" } },
        prompts: { system: "Be brief." },
      },
    };
    const created = await gateway.fetch("/v1/agents", { json: document });
    expect(created.status, await created.text()).toBe(201);
    expect((await worker.fetch("/v1/agents/posted")).status).toBe(200);
    expect((await gateway.fetch("/v1/agents/posted")).status).toBe(200);
    expect((await gateway.fetch("/v1/agents/posted/run", { json: { query: "x" } })).status).toBe(200);
    expect((await gateway.fetch("/v1/agents", { json: document })).status).toBe(422);
    expect((await gateway.fetch("/v1/agents/posted", { method: "DELETE" })).status).toBe(200);
    expect((await worker.fetch("/v1/agents/posted")).status).toBe(404);
    expect((await gateway.fetch("/v1/agents/posted/run", { json: { query: "x" } })).status).toBe(404);
  });

  test("without a worker the gateway says so in the guide's words, and uses it again once it is back", async () => {
    const { gateway, worker } = cluster;
    await worker.kill();
    const refused = await ask(gateway);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      detail: "No available node provides service: agents",
      code: "no_service",
    });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await worker.start();
    await waitFor("the worker is used again", async () => (await ask(gateway)).status === 200);
  });

  test("a stream comes through the gateway and goes on behind Last-Event-ID", async () => {
    const { gateway, provider } = cluster;
    await provider.script({ rules: [{ reply: "one two three" }] });
    await provider.hold("token:1");
    const streaming = await ask(gateway, "count", { stream: true });
    expect(streaming.headers.get("x-astromesh-routed-to")).toBe("worker");
    const runId = streaming.headers.get("x-astromesh-run-id") ?? "";
    let last = "";
    for await (const frame of framesOf(streaming)) {
      last = frame.id ?? last;
      if (frame.event === "token") break;
    }
    await provider.release("token:1");
    const rest = await gateway.fetch(`/v1/runs/${runId}/events`, { headers: { "last-event-id": last } });
    const text: string[] = [];
    for await (const { event, data } of framesOf(rest)) if (event === "token") text.push(String(data?.["text"]));
    const whole = await gateway.fetch(`/v1/runs/${runId}/events`);
    const all: string[] = [];
    for await (const { event, data } of framesOf(whole)) if (event === "token") all.push(String(data?.["text"]));
    expect(all.join("")).toBe("one two three");
    expect(all.slice(1)).toEqual(text);
  });

  test("cancelling through the gateway reaches the model", async () => {
    const { gateway, provider } = cluster;
    await provider.hold("token:0");
    const submitted = await gateway.fetch("/v1/runs", { json: { agent: "parrot", query: "wait" } });
    const { run_id: runId } = (await submitted.json()) as { run_id: string };
    await provider.reached("token:0");
    const cancelled = await gateway.fetch(`/v1/runs/${runId}/cancel`, { method: "POST" });
    expect(cancelled.status).toBe(202);
    await provider.left(1);
    await waitFor("the run is cancelled", async () => {
      const run = (await (await gateway.fetch(`/v1/runs/${runId}`)).json()) as { readonly status: string };
      return run.status === "cancelled";
    });
  });

  test("a run outlives its worker: whoever waits at the gateway gets the answer after the restart", async () => {
    const { gateway, worker, provider } = cluster;
    await provider.hold("end");
    const waiting = ask(gateway, "patience", { wait_ms: 25_000 });
    await provider.reached("end");
    await worker.kill();
    await provider.release("end");
    await worker.start();
    const response = await waiting;
    expect(response.status, await response.clone().text()).toBe(200);
    expect(await response.json()).toMatchObject({ response: "ok", status: "completed" });
  });

  test("nodes with another secret do not serve each other", async () => {
    const { gateway, worker } = cluster;
    const stranger = profileNode("gateway", {
      name: "stranger",
      env: { ASTROMESH_MESH_SECRET: "another secret entirely" },
      peers: [workerAt(worker)],
    });
    onTestFinished(() => stranger.dispose());
    await stranger.start();
    expect((await ask(stranger)).status).toBe(503);
    expect((await ask(gateway)).status).toBe(200);
    const raw = await worker.fetch("/v1/peer/status", { json: {} });
    expect(raw.status).toBe(401);
  });
});

describe("two workers", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(2);
  }, START_MS);
  afterEach(() => cluster.provider.reset());
  afterAll(() => cluster.stop());

  test("a session stays with the worker that remembers it", async () => {
    const { gateway, others, worker } = cluster;
    const nodes = [worker, ...others].map(({ name }) => name);
    const used = new Set<string>();
    for (let session = 0; session < 6; session += 1) {
      const session_id = `session-${session}`;
      const first = await ask(gateway, "one", { session_id });
      const home = first.headers.get("x-astromesh-routed-to") ?? "";
      used.add(home);
      for (let turn = 0; turn < 3; turn += 1) {
        const next = await ask(gateway, "more", { session_id });
        expect(next.headers.get("x-astromesh-routed-to")).toBe(home);
      }
    }
    expect([...used].toSorted()).toEqual(nodes.toSorted());
    // A gateway that has forgotten asks the stores.
    const before = (await ask(gateway, "still", { session_id: "session-0" })).headers.get("x-astromesh-routed-to");
    await gateway.kill();
    await gateway.start();
    const after = await ask(gateway, "again", { session_id: "session-0" });
    expect(after.headers.get("x-astromesh-routed-to")).toBe(before);
  });

  test("a worker that is killed fails no request that it had not begun", async () => {
    const { gateway, worker, others } = cluster;
    const answers: { readonly sentAt: number; readonly status: number; readonly text: string }[] = [];
    const enough = new AbortController();
    const flows = Array.from({ length: 8 }, async () => {
      while (!enough.signal.aborted) {
        const sentAt = performance.now();
        const response = await ask(gateway, "flow", { wait_ms: 500 });
        answers.push({ sentAt, status: response.status, text: await response.text() });
      }
    });
    await waitFor("requests flow", () => answers.length > 40);
    await worker.kill();
    const deadAt = performance.now();
    const afterwards = () => answers.filter(({ sentAt }) => sentAt > deadAt);
    await waitFor("requests flow on", () => afterwards().length > 100, 30_000);
    enough.abort();
    await Promise.all(flows);
    expect(afterwards().filter(({ status }) => status !== 200)).toEqual([]);
    // Of those before only what was under way can have failed, and each says that its run had begun, or may have.
    const failed = answers.filter(({ status }) => status !== 200);
    expect(failed.length).toBeLessThanOrEqual(8);
    for (const { text } of failed) expect(text).toMatch(/run_id|while it took the run in/);
    const response = await ask(gateway);
    expect(response.headers.get("x-astromesh-routed-to")).toBe(others[0]?.name);
  });
});

test("without a secret nodes of one machine serve each other and warn", async () => {
  const cluster = await startCluster(1, {});
  onTestFinished(cluster.stop);
  const { gateway } = cluster;
  expect((await ask(gateway)).status).toBe(200);
  expect(gateway.child.output()).toContain("NO MESH SECRET");
});
