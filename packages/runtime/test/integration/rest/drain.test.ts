import { once } from "node:events";
import { connect } from "node:net";

import { describe, expect, it } from "vitest";

import { createDrain, createHttpServer } from "../../../src/doors/index.ts";
import { framesOf, startRestServer, systemClock } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";

const RUN = "/v1/agents/helper/run";

/** True when nobody listens there any more. */
const refused = async (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });

describe("a node that shuts down", () => {
  it("refuses new work, but lets runs be read and says that it is not ready", async () => {
    const { node, server, call } = await startRestServer();
    const asked = call("POST", RUN, { query: "Hello" });
    await waitFor("the run goes", () => node.runs.submitted.length === 1);
    server.drain();
    const refusal = await call("POST", "/v1/runs", { agent: "helper", query: "Hello" });
    expect(refusal.status).toBe(503);
    expect(refusal.headers.get("connection")).toBe("close");
    expect(refusal.headers.get("retry-after")).toBe("5");
    expect(await refusal.json()).toMatchObject({ code: "draining" });
    expect((await call("GET", "/v1/agents")).status).toBe(503);
    const list = await call("GET", "/v1/runs");
    const { runs } = (await list.json()) as { runs: { run_id: string }[] };
    const runId = runs[0]?.run_id as string;
    for (const path of [`/v1/runs/${runId}`, `/v1/runs/${runId}/journal`, "/health", "/v1/health", "/metrics"]) {
      const response = await call("GET", path);
      expect([path, response.status, response.headers.get("connection")]).toEqual([path, 200, "close"]);
    }
    const ready = await call("GET", "/ready");
    expect([ready.status, await ready.json()]).toMatchObject([503, { reasons: ["draining"] }]);
    node.runs.complete(runId, "still answered");
    expect(await (await asked).json()).toMatchObject({ response: "still answered" });
  });

  it("ends streams with a comment, so that their clients connect again, and cancels nothing", async () => {
    const { node, server, call } = await startRestServer();
    const response = await call("POST", RUN, { query: "Hello", stream: true, on_disconnect: "cancel" });
    const frames = framesOf(response);
    expect((await frames.next()).value).toMatchObject({ event: "run.started" });
    const next = frames.next();
    await waitFor("the stream waits", () => node.runs.readers === 1);
    await server.stop({ graceMs: 5_000 });
    expect((await next).value).toEqual({ comment: "the node is shutting down, connect again" });
    expect((await frames.next()).done).toBe(true);
    expect(node.runs.readers).toBe(0);
    expect(node.runs.cancelled).toEqual([]);
  });

  it("waits for answers under way, and not for idle connections", async () => {
    const { node, server, call } = await startRestServer();
    await (await call("GET", "/health")).text();
    const asked = call("POST", RUN, { query: "Hello" });
    await waitFor("the run goes", () => node.runs.submitted.length === 1);
    const { port } = server.address() as { port: number };
    const stopped = server.stop({ graceMs: 60_000 });
    expect(await refused(port)).toBe(true);
    const [run] = await node.runs.list({ limit: 1 }, { id: "local", scopes: ["admin"] });
    node.runs.complete(run?.runId ?? "", "in time");
    const response = await asked;
    expect(await response.json()).toMatchObject({ response: "in time" });
    await stopped;
    expect(server.address()).toBeNull();
  });

  it("does not wait for connections that have not asked anything", async () => {
    const { server, url } = await startRestServer();
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await once(socket, "connect");
    // The server has it too once it has answered on another.
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const closed = once(socket, "close");
    server.drain();
    await server.stop({ graceMs: 60_000 });
    await closed;
  });

  it("cuts what is left when the grace is over, and may be stopped twice", async () => {
    const { node, server, call } = await startRestServer();
    const asked = call("POST", RUN, { query: "Hello" });
    const cut = expect(asked).rejects.toThrow("fetch failed");
    await waitFor("the run goes", () => node.runs.submitted.length === 1);
    await Promise.all([server.stop({ graceMs: 20 }), server.stop({ graceMs: 20 })]);
    await cut;
    await server.stop({ graceMs: 0 });
  });
});

describe("start", () => {
  it("says so when the address cannot be had", async () => {
    const { server } = await startRestServer();
    const second = createHttpServer(
      {
        fetch: () => new Response(),
        drain: createDrain(),
        clock: systemClock,
        logger: (await startRestServer()).node.logger,
      },
      { host: "127.0.0.1", port: server.address()?.port ?? 0 },
    );
    await expect(second.start()).rejects.toMatchObject({ code: "config_invalid", message: /EADDRINUSE/ });
    await second.stop({ graceMs: 0 });
  });
});
