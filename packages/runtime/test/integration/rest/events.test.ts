import { connect } from "node:net";

import { describe, expect, it } from "vitest";

import { framesOf, manualClock, startRestServer } from "../../fakes/index.ts";
import type { Frame, RestServer } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";

const token = (text: string) => ({ type: "token", text, thread: "main" }) as const;

async function begin(node: RestServer["node"]): Promise<string> {
  const { run } = await node.runs.submit({
    agent: "helper",
    input: { query: "Hi", images: [], context: {} },
    sessionId: null,
    principal: { id: "local", scopes: ["admin"] },
    idempotency: null,
    traceparent: null,
  });
  return run.runId;
}

async function all(response: Response): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of framesOf(response)) frames.push(frame);
  return frames;
}

const texts = (frames: readonly Frame[]): unknown[] => frames.map(({ data }) => data?.["text"] ?? data?.["type"]);

describe("GET /v1/runs/{id}/events", () => {
  it("tells a run live, from its beginning to its end", async () => {
    const { node, call } = await startRestServer();
    const run = await begin(node);
    const response = await call("GET", `/v1/runs/${run}/events`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    const frames = framesOf(response);
    expect((await frames.next()).value).toMatchObject({ id: `${run}:1:1`, event: "run.started" });
    node.runs.emit(run, token("Hel"));
    expect((await frames.next()).value).toMatchObject({ id: `${run}:1:2`, data: { text: "Hel" } });
    node.runs.park(run, { waitReason: "timer", wakeAt: 60_000 });
    expect((await frames.next()).value).toMatchObject({
      event: "waiting",
      data: { type: "waiting", reason: "timer", until: "1970-01-01T00:01:00.000Z" },
    });
    node.runs.fail(run, { code: "model_timeout", message: "silent", retryable: true });
    expect((await frames.next()).value).toMatchObject({
      event: "error",
      data: { type: "error", code: "model_timeout", detail: "silent", retryable: true },
    });
    expect((await frames.next()).done).toBe(true);
  });

  it("resumes behind Last-Event-ID, or behind `after`", async () => {
    const { node, call } = await startRestServer();
    const run = await begin(node);
    for (const text of ["a", "b", "c"]) node.runs.emit(run, token(text));
    node.runs.complete(run, "abc");
    const path = `/v1/runs/${run}/events`;
    const resume = async (query: string, id?: string): Promise<unknown[]> =>
      texts(await all(await call("GET", path + query, undefined, id === undefined ? {} : { "last-event-id": id })));
    expect(await resume("", `${run}:1:2`)).toEqual(["b", "c", "done"]);
    expect(await resume(`?after=${run}:1:3`)).toEqual(["c", "done"]);
    expect(await resume("?after=3")).toEqual(["c", "done"]);
    expect(await resume("?after=0")).toEqual(["run.started", "a", "b", "c", "done"]);
    expect(await resume("?after=1", `${run}:1:4`)).toEqual(["done"]);
    expect(await resume("", ` ${run}:1:4 `)).toEqual(["done"]);
    expect(await resume("?after=", "")).toEqual(["run.started", "a", "b", "c", "done"]);
  });

  it("answers an offset that died with its owner by a retraction", async () => {
    const { node, call } = await startRestServer();
    const run = await begin(node);
    for (const text of ["a", "b", "c"]) node.runs.emit(run, token(text));
    node.runs.takeOver(run, 2);
    node.runs.emit(run, token("B"));
    node.runs.complete(run, "aB");
    const frames = await all(await call("GET", `/v1/runs/${run}/events`, undefined, { "last-event-id": `${run}:1:4` }));
    expect(frames.map(({ id, data }) => [id, data?.["type"], data?.["to"]])).toEqual([
      [`${run}:2:3`, "retract", 2],
      [`${run}:2:4`, "token", undefined],
      [`${run}:2:5`, "done", undefined],
    ]);
  });

  it("stops a browser from coming back for a run that it has seen to its end", async () => {
    const { node, call } = await startRestServer();
    const run = await begin(node);
    node.runs.complete(run, "done");
    const response = await call("GET", `/v1/runs/${run}/events`, undefined, { "last-event-id": `${run}:1:2` });
    expect(response.status).toBe(204);
  });

  it.each(["nonsense", "run:1", "run:-1:2", "run:a:b", "1.5", "run_other:1:1", "99999999999999999999"])(
    "refuses %j as a place, naming the field",
    async (place) => {
      const { node, call } = await startRestServer();
      const run = await begin(node);
      const byHeader = await call("GET", `/v1/runs/${run}/events`, undefined, { "last-event-id": place });
      expect(byHeader.status).toBe(422);
      expect(await byHeader.json()).toMatchObject({ errors: [{ path: "last-event-id" }] });
      const byQuery = await call("GET", `/v1/runs/${run}/events?after=${place}`);
      expect(byQuery.status).toBe(422);
      expect(await byQuery.json()).toMatchObject({ errors: [{ path: "after" }] });
    },
  );

  it("keeps a silent connection alive with comments", async () => {
    const clock = manualClock();
    const { node, call } = await startRestServer({ clock });
    const run = await begin(node);
    const frames = framesOf(await call("GET", `/v1/runs/${run}/events`));
    await frames.next();
    for (let round = 0; round < 3; round += 1) {
      const next = frames.next();
      clock.advance(15_000);
      expect((await next).value).toEqual({ comment: "keep-alive" });
    }
    const next = frames.next();
    node.runs.emit(run, token("at last"));
    expect((await next).value).toMatchObject({ data: { text: "at last" } });
    await frames.return(undefined);
    await waitFor("the reader is gone", () => node.runs.readers === 0);
  });

  it("answers HEAD without reading the run", async () => {
    const { node, call } = await startRestServer();
    const run = await begin(node);
    const response = await call("HEAD", `/v1/runs/${run}/events`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    expect(node.runs.readers).toBe(0);
  });

  it("lets go of the run when its reader leaves, and only then", async () => {
    const { url, node } = await startRestServer();
    const run = await begin(node);
    const client = new AbortController();
    const response = await fetch(`${url}/v1/runs/${run}/events`, { signal: client.signal });
    expect(response.status).toBe(200);
    await waitFor("the reader is there", () => node.runs.readers === 1);
    client.abort();
    await waitFor("the reader is gone", () => node.runs.readers === 0);
    expect(node.runs.cancelled).toEqual([]);
  });

  it("does not read ahead of a reader that stands still", async () => {
    const { node, server } = await startRestServer();
    const run = await begin(node);
    const total = 4_000;
    const text = "x".repeat(4_096);
    let given = 0;
    const endless = node.runs.events.bind(node.runs);
    node.runs.events = async function* (...args) {
      for await (const item of endless(...args)) {
        given += 1;
        yield item;
      }
    };
    for (let n = 0; n < total; n += 1) node.runs.emit(run, token(text));
    node.runs.complete(run, "done");
    const socket = connect(server.address()?.port ?? 0, "127.0.0.1");
    socket.pause();
    socket.write(`GET /v1/runs/${run}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await waitFor("the first event is asked for", () => given > 0);
    let before = -1;
    // The kernel's buffers take what they can; then nothing more may be asked of the run.
    while (before !== given) {
      before = given;
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(given).toBeLessThan(total);
    let received = 0;
    socket.on("data", (chunk) => (received += chunk.length));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await closed;
    expect(given).toBe(total + 2);
    expect(received).toBeGreaterThan(total * text.length);
  });

  it("ends the connection when its source breaks, so that the client comes back", async () => {
    const { node, call } = await startRestServer();
    const run = await begin(node);
    node.runs.events = async function* () {
      yield { runId: run, attempt: 1, offset: 1, at: 0, event: token("a") };
      throw new Error("the log is gone");
    };
    expect(texts(await all(await call("GET", `/v1/runs/${run}/events`)))).toEqual(["a"]);
    expect(node.logger.lines).toMatchObject([{ level: "error", message: "a stream broke off" }]);
  });
});
