import { createHmac } from "node:crypto";

import { afterEach, describe, expect, it } from "vitest";

import { createTestServers, manualClock, toolEntry, toolScope } from "../../../test/fakes/index.ts";
import type { JsonObject, ToolEntry } from "../../core/index.ts";
import type { Tool, ToolOutcome, ToolScope } from "../../core/ports/index.ts";
import { createEgress } from "../../net/index.ts";
import type { ResolveHost } from "../../net/index.ts";
import { bindTool } from "../bind.ts";
import { httpRequest } from "./http-request.ts";
import { sendWebhook, webhookTool } from "./webhook.ts";

const NOW = Date.UTC(2026, 10, 20);
const servers = createTestServers();
const egress = createEgress();
afterEach(async () => servers.stop());

function bind(entry: ToolEntry, resolve?: ResolveHost): Tool {
  const clock = manualClock(NOW);
  const http = resolve === undefined ? egress : createEgress({ resolve });
  const kind =
    entry.type === "webhook"
      ? webhookTool(http, clock, entry.name)
      : entry.name === "http_request"
        ? httpRequest(http)
        : sendWebhook(http, clock);
  const expand = (config: JsonObject) =>
    JSON.parse(JSON.stringify(config).replaceAll("${KEY}", "s3cret")) as JsonObject;
  const bound = bindTool({ clock, expand }, kind, entry);
  if ("fault" in bound) throw new Error(bound.fault);
  return bound.tool;
}

const local = { allow_private: true };

async function request(
  args: JsonObject,
  config: JsonObject = local,
  scope: Partial<ToolScope> = {},
): Promise<ToolOutcome> {
  return bind(toolEntry("http_request", { config })).execute(args, toolScope(scope));
}

describe("http_request", () => {
  it("sends a request and returns status, headers and body", async () => {
    const { url, seen } = await servers.serve((_request, response) =>
      response.writeHead(201, { "content-type": "application/json", "set-cookie": "a=b", "x-a": "1" }).end('{"id":7}'),
    );
    const outcome = await request(
      { method: "POST", url: `${url}/items?x=1`, headers: { "X-Mine": "yes" }, body: { name: "Ada" } },
      local,
      { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` },
    );
    expect(outcome).toMatchObject({ ok: true, data: { status: 201, url: `${url}/items?x=1`, body: { id: 7 } } });
    expect(JSON.stringify(outcome)).not.toContain("set-cookie");
    expect(seen[0]).toMatchObject({ method: "POST", path: "/items?x=1", body: '{"name":"Ada"}' });
    expect(seen[0]?.headers).toMatchObject({
      "x-mine": "yes",
      "content-type": "application/json",
      "idempotency-key": "run_1:3",
      traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    });
  });

  it("returns any status as a result, and other content as text or base64", async () => {
    const { url } = await servers.serve((request, response) => {
      if (request.url === "/text") response.writeHead(404).end("not here");
      else if (request.url === "/latin")
        response.writeHead(200, { "content-type": "text/plain; charset=iso-8859-1" }).end(Buffer.from([0xe9]));
      else if (request.url === "/broken") response.writeHead(500, { "content-type": "application/json" }).end("{oops");
      else response.end(Buffer.from([0xff, 0x00]));
    });
    const bodyAt = async (path: string) => request({ url: url + path });
    expect(await bodyAt("/text")).toMatchObject({ ok: true, data: { status: 404, body: "not here" } });
    expect(await bodyAt("/latin")).toMatchObject({ data: { body: "é" } });
    expect(await bodyAt("/broken")).toMatchObject({ ok: true, data: { status: 500, body: "{oops" } });
    expect(await bodyAt("/raw")).toMatchObject({ data: { body_base64: "/wA=" } });
  });

  it("reads a huge body up to its limit, even inside a character", async () => {
    const { url } = await servers.serve((_request, response) => response.end("é".repeat(500_000)));
    expect(await request({ url }, { ...local, max_response_bytes: 101 })).toMatchObject({
      data: { body: "é".repeat(50), truncated: true },
    });
  });

  it("stops waiting for a slow server when its time is over", async () => {
    const over = new AbortController();
    const { url } = await servers.serve((_request, response) => {
      response.write("a");
      setImmediate(() => over.abort(new Error("time is over")));
    });
    await expect(request({ url }, local, { signal: over.signal })).rejects.toThrow("time is over");
  });

  it("refuses what a prompt injection would ask for: private, metadata and odd addresses", async () => {
    const { port, seen } = await servers.serve((_request, response) => response.end("secret"));
    for (const url of [
      `http://127.0.0.1:${port}/`,
      `http://2130706433:${port}/`,
      "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
      "http://[::ffff:169.254.169.254]/",
      "http://10.0.0.1/",
      "file:///etc/passwd",
    ]) {
      expect(await request({ url }, {}), url).toMatchObject({ ok: false, code: "tool_denied" });
    }
    expect(await request({ url: "http://169.254.169.254/" })).toMatchObject({ ok: false, code: "tool_denied" });
    expect(seen).toHaveLength(0);
  });

  it("refuses a redirect to a metadata address and a name that turns out to be private", async () => {
    const { url } = await servers.serve((_request, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    );
    expect(await request({ url })).toMatchObject({ ok: false, code: "tool_denied" });
    const rebound = bind(toolEntry("http_request"), async () => ["192.168.1.1"]);
    expect(await rebound.execute({ url: "http://harmless.test/" }, toolScope())).toMatchObject({
      ok: false,
      code: "tool_denied",
      message: "harmless.test (192.168.1.1) is a private address, which this tool may not reach",
    });
  });

  it("sends the config's keys to the listed hosts only, over what the model says", async () => {
    const { url, port, seen } = await servers.serve((_request, response) => response.end());
    const config = { ...local, hosts: [`127.0.0.1:${port}`], headers: { Authorization: "Bearer ${KEY}" } };
    expect(await request({ url, headers: { authorization: "mine" } }, config)).toMatchObject({ ok: true });
    expect(seen[0]?.headers.authorization).toBe("Bearer s3cret");
    expect(await request({ url: url.replace("127.0.0.1", "localhost") }, config)).toMatchObject({
      code: "tool_denied",
    });
    expect(seen).toHaveLength(1);
  });

  it("keeps the framing of a request to itself", async () => {
    for (const name of ["Host", "content-length", "Transfer-Encoding", "Idempotency-Key"]) {
      expect(await request({ url: "http://127.0.0.1:9/", headers: { [name]: "x" } })).toMatchObject({
        code: "tool_invalid_arguments",
      });
    }
    expect(await request({ url: "http://127.0.0.1:9/", body: "x" })).toMatchObject({
      code: "tool_invalid_arguments",
      message: "a GET request has no body",
    });
  });

  it("is read for GET, once for the rest unless the server is idempotent", () => {
    const plain = bind(toolEntry("http_request"));
    expect([plain.effect, plain.effectOf({ url: "x" }), plain.effectOf({ url: "x", method: "HEAD" })]).toEqual([
      "once",
      "read",
      "read",
    ]);
    expect(plain.effectOf({ url: "x", method: "DELETE" })).toBe("once");
    const keyed = bind(toolEntry("http_request", { config: { idempotent: true } }));
    expect([keyed.effect, keyed.effectOf({ url: "x", method: "POST" })]).toEqual(["idempotent", "idempotent"]);
  });
});

describe("webhooks", () => {
  const secret = `whsec_${Buffer.from("0123456789abcdef").toString("base64")}`;

  it("are signed by the Standard Webhooks scheme", async () => {
    const { url, seen } = await servers.serve((_request, response) => response.writeHead(204).end());
    const tool = bind(toolEntry("send_webhook", { config: { ...local, secret } }));
    expect(await tool.execute({ url, payload: { a: [1] } }, toolScope())).toEqual({
      ok: true,
      data: { status: 204, delivered: true },
    });
    const time = String(NOW / 1_000);
    const mac = createHmac("sha256", "0123456789abcdef").update(`run_1:3.${time}.{"a":[1]}`).digest("base64");
    expect(seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "idempotency-key": "run_1:3",
      "webhook-id": "run_1:3",
      "webhook-timestamp": time,
      "webhook-signature": `v1,${mac}`,
    });
  });

  it("fail on any status but 2xx, and on private addresses", async () => {
    const { url } = await servers.serve((_request, response) => response.writeHead(500).end());
    const open = bind(toolEntry("send_webhook", { config: local }));
    expect(await open.execute({ url, payload: 1 }, toolScope())).toMatchObject({
      ok: false,
      code: "tool_failed",
      message: expect.stringContaining("answered with status 500"),
    });
    expect(await bind(toolEntry("send_webhook")).execute({ url, payload: 1 }, toolScope())).toMatchObject({
      code: "tool_denied",
    });
    expect([open.effect, bind(toolEntry("send_webhook", { config: { idempotent: true } })).effect]).toEqual([
      "once",
      "idempotent",
    ]);
  });

  it("of an entry's own send the arguments to its URL and return the answer", async () => {
    const { url, seen } = await servers.serve((request, response) => {
      const status = request.url === "/ok" ? 200 : 422;
      response.writeHead(status, { "content-type": "application/json" }).end('{"ticket":"T-1"}');
    });
    const entry = (path: string): ToolEntry =>
      toolEntry("open_ticket", {
        type: "webhook",
        description: "Opens a ticket.",
        parameters: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
        config: { ...local, url: url + path, headers: { "x-key": "${KEY}" } },
      });
    const tool = bind(entry("/ok"));
    expect([tool.source, tool.effect, tool.invalid({})]).toEqual(["webhook", "once", '"title" is missing']);
    expect(await tool.execute({ title: "Broken" }, toolScope())).toEqual({ ok: true, data: { ticket: "T-1" } });
    expect(seen[0]).toMatchObject({ method: "POST", body: '{"title":"Broken"}' });
    expect(seen[0]?.headers["x-key"]).toBe("s3cret");
    expect(await bind(entry("/bad")).execute({ title: "x" }, toolScope())).toEqual({
      ok: false,
      code: "tool_failed",
      message: 'the webhook answered with status 422: {"ticket":"T-1"}',
    });
  });
});
