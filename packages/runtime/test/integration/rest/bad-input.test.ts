import { request } from "node:http";
import { connect } from "node:net";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { restDocument } from "../../../src/doors/index.ts";
import { MAX_JSON_DEPTH } from "../../../src/wire/index.ts";
import { startRestServer } from "../../fakes/index.ts";

const RUN = "/v1/agents/helper/run";

describe("bad input", () => {
  it.each([
    [{}, "query"],
    [{ query: "" }, "query"],
    [{ query: 5 }, "query"],
    [{ query: "a\u0000b" }, "query"],
    [{ query: "a", sesion_id: "x" }, "sesion_id"],
    [{ query: "a", session_id: "x\ny" }, "session_id"],
    [{ query: "a", session_id: "" }, "session_id"],
    [{ query: "a", session_id: "x".repeat(201) }, "session_id"],
    [{ query: "a", wait_ms: -1 }, "wait_ms"],
    [{ query: "a", wait_ms: 1.5 }, "wait_ms"],
    [{ query: "a", on_disconnect: "explode" }, "on_disconnect"],
    [{ query: "a", stream: "yes" }, "stream"],
    [{ query: "a", context: [] }, "context"],
    [{ query: "a", images: {} }, "images"],
    [{ query: "a", images: [{ url: "file:///etc/passwd" }] }, "images.0.url"],
    [{ query: "a", images: [{ data: "!!", media_type: "image/png" }] }, "images.0.data"],
    [{ query: "a", images: [{ data: "aGk=", media_type: "text/html" }] }, "images.0.media_type"],
    [[], ""],
    [null, ""],
    ["text", ""],
  ])("names the field at fault in %j", async (body, path) => {
    const { call } = await startRestServer();
    const response = await call("POST", RUN, JSON.stringify(body));
    expect(response.status).toBe(422);
    const answer = (await response.json()) as { detail: string; errors: { path: string }[] };
    expect(answer).toMatchObject({ code: "invalid_request" });
    expect(answer.errors.map((error) => error.path)).toContain(path);
    expect(answer.detail).toContain(path);
  });

  it.each([
    ["/v1/runs?limit=0", "limit"],
    ["/v1/runs?limit=many", "limit"],
    ["/v1/runs?status=asleep", "status"],
    ["/v1/runs?cursor=a%20b", "cursor"],
    ["/v1/runs?agent=%00", "agent"],
    ["/v1/runs?limit=1&limit=2", "limit"],
    ["/v1/traces?limit=101", "limit"],
    ["/v1/logs?backlog=-1", "backlog"],
  ])("names the parameter at fault in %s", async (path, field) => {
    const { call } = await startRestServer();
    const response = await call("GET", path);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "invalid_request", errors: [{ path: field }] });
  });

  it("names the header at fault", async () => {
    const { call } = await startRestServer();
    for (const key of ["with space", "x".repeat(256), "ümlaut"]) {
      const response = await call("POST", RUN, { query: "a" }, { "idempotency-key": key });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ errors: [{ path: "idempotency-key" }] });
    }
  });

  it.each(["", "{", "{'query': 1}", '{"query": "a"', "\u0000", "[1,"])("says that %j is no JSON", async (text) => {
    const { url } = await startRestServer();
    const response = await fetch(url + RUN, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ detail: "the body is not valid JSON", code: "invalid_json" });
  });

  it("wants bodies to say that they are JSON, since browsers send others across sites unasked", async () => {
    const { url } = await startRestServer();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const response = await fetch(url + RUN, {
        method: "POST",
        headers: { "content-type": type },
        body: '{"query":"a"}',
      });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ code: "unsupported_media_type" });
    }
    const untyped = await fetch(url + RUN, { method: "POST", body: new Blob(['{"query":"a"}']) });
    expect(untyped.status).toBe(415);
    const charset = { "content-type": "application/json; charset=utf-8" };
    const accepted = await fetch(url + RUN, { method: "POST", headers: charset, body: '{"query":"a","wait_ms":0}' });
    expect(accepted.status).toBe(408);
  });

  it("refuses bodies over the limit, by their length or as they come", async () => {
    const { url, server } = await startRestServer({ options: { bodyLimitBytes: 1_000 } });
    const big = JSON.stringify({ query: "x".repeat(1_000) });
    const headers = { "content-type": "application/json" };
    const sized = await fetch(url + RUN, { method: "POST", headers, body: big });
    expect(sized.status).toBe(413);
    expect(await sized.json()).toMatchObject({ code: "payload_too_large" });
    const chunked = await new Promise<number>((resolve, reject) => {
      const outgoing = request({ port: server.address()?.port, path: RUN, method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on("error", reject);
      for (let part = 0; part < 4; part += 1) outgoing.write(big.slice(0, 400));
      outgoing.end();
    });
    expect(chunked).toBe(413);
  });

  it("takes a chunked body within the limit, and a large image", async () => {
    const { node, url, call, server } = await startRestServer();
    node.runs.script((runId) => node.runs.complete(runId, "ok"));
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const outgoing = request({ port: server.address()?.port, path: RUN, method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on("error", reject);
      outgoing.write('{"query":');
      outgoing.end('"a"}');
    });
    expect(status).toBe(200);
    const data = Buffer.alloc(700_000, 7).toString("base64");
    expect((await call("POST", RUN, { query: "a", images: [{ data, media_type: "image/png" }] })).status).toBe(200);
    const broken = `${data.slice(0, -1)}!`;
    expect((await call("POST", RUN, { query: "a", images: [{ data: broken, media_type: "image/png" }] })).status).toBe(
      422,
    );
    expect(url).toBeTruthy();
  });

  it("refuses JSON that is nested beyond reason", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.complete(runId, "ok"));
    const nested = (levels: number): string =>
      `{"query":"a","context":{"x":${"[".repeat(levels)}${"]".repeat(levels)}}}`;
    expect((await call("POST", RUN, nested(MAX_JSON_DEPTH), { "idempotency-key": "k" })).status).toBe(200);
    for (const levels of [MAX_JSON_DEPTH + 1, 100_000]) {
      const response = await call("POST", RUN, nested(levels), { "idempotency-key": "k2" });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ errors: [{ path: "context.x" }] });
    }
    expect((await call("POST", RUN, "[".repeat(500_000))).status).toBe(400);
  });

  it("says which methods a route takes, and that other paths are none", async () => {
    const { call } = await startRestServer();
    for (const [method, path, allow] of [
      ["PUT", RUN, "POST"],
      ["PATCH", "/v1/agents/helper", "GET, HEAD, PUT, DELETE"],
      ["DELETE", "/health", "GET, HEAD"],
      ["OPTIONS", "/v1/runs", "POST, GET, HEAD"],
    ] as const) {
      const response = await call(method, path);
      expect([method, path, response.status, response.headers.get("allow")]).toEqual([method, path, 405, allow]);
      expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
    }
    for (const path of ["/", "/v2/runs", "/v1/runs/", "/v1/agents//run", "/v1/rag/query", "/%zz", "/v1/agents/%ff"]) {
      const response = await call("GET", path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.json()).toMatchObject({ code: expect.stringMatching(/not_found$/) });
    }
    expect((await call("HEAD", "/health")).status).toBe(200);
  });

  it("answers what is hardly HTTP", async () => {
    const { server } = await startRestServer();
    const send = async (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(server.address()?.port ?? 0, "127.0.0.1");
        let answer = "";
        socket.on("data", (chunk) => (answer += chunk.toString()));
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(answer));
        socket.write(bytes);
      });
    expect(await send("GARBAGE\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*"code":"invalid_request"}$/s);
    expect(await send(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    for (const target of ["/\\evil", "//", "http://[/", "*"]) {
      const answer = await send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect([target, answer.slice(9, 12)]).toEqual([target, expect.stringMatching(/40[04]/)]);
    }
    expect(await send("GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe("whatever a client sends", () => {
  const bodies = fc.oneof(
    fc.json().map((text) => ({ text, type: "application/json" })),
    fc.record({ text: fc.string(), type: fc.constantFrom("application/json", "text/plain") }),
    fc
      .record(
        {
          query: fc.oneof(fc.string(), fc.jsonValue()),
          agent: fc.oneof(fc.constant("helper"), fc.jsonValue()),
          session_id: fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue()),
          context: fc.jsonValue(),
          images: fc.oneof(fc.array(fc.record({ url: fc.webUrl() })), fc.jsonValue()),
          name: fc.oneof(fc.string(), fc.jsonValue()),
          payload: fc.jsonValue(),
          position: fc.oneof(fc.constant("1"), fc.jsonValue()),
          outcome: fc.constantFrom("done", "?"),
          metadata: fc.record({ name: fc.oneof(fc.string(), fc.jsonValue()) }),
          tool_name: fc.constantFrom("calculator", "broken", "ghost"),
          arguments: fc.jsonValue(),
          stream: fc.boolean(),
        },
        { requiredKeys: [] },
      )
      .map((body) => ({ text: JSON.stringify({ wait_ms: 0, ...body }), type: "application/json" })),
  );
  const targets = Object.entries(restDocument("1").paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== "get")
      .map((method) => ({ method: method.toUpperCase(), path })),
  );
  const segment = fc.oneof(fc.constantFrom("helper", "worker", "run_1"), fc.string({ unit: "binary", minLength: 1 }));

  it("is never answered by 500, and always by a body with detail and code", async () => {
    const { call, node } = await startRestServer();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        segment,
        bodies,
        async ({ method, path }, value, { text, type }) => {
          const filled = path.replaceAll(/\{.+?\}/g, () => encodeURIComponent(value));
          const response = await call(method, filled, text, { "content-type": type });
          expect(response.status).not.toBe(500);
          if (response.ok) {
            await response.body?.cancel();
            return;
          }
          expect(await response.json()).toMatchObject({ detail: expect.any(String), code: expect.any(String) });
        },
      ),
      { numRuns: 600 },
    );
    expect(node.logger.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("in a query or a path is never answered by 500", async () => {
    const { url } = await startRestServer();
    const gets = Object.keys(restDocument("1").paths ?? {});
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...gets), segment, fc.webQueryParameters(), async (path, value, query) => {
        const filled = path.replaceAll(/\{.+?\}/g, () => encodeURIComponent(value));
        const response = await fetch(`${url}${filled}?limit=${encodeURIComponent(value)}&${query}`);
        await response.body?.cancel();
        expect(response.status).not.toBe(500);
      }),
      { numRuns: 300 },
    );
  });
});
