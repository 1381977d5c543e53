import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { afterEach, describe, expect, test } from "vitest";

import { connectionFault } from "./connection-fault.ts";
import { createHttpClient, readText } from "./http-client.ts";
import type { HttpRequest } from "./http-client.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  const server = createServer(handle).on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  stops.push(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, stop };
}

function client() {
  const http = createHttpClient();
  stops.push(() => http.stop());
  return http;
}

const get = (url: string, signal: AbortSignal = new AbortController().signal): HttpRequest => ({
  method: "GET",
  url,
  headers: {},
  body: null,
  signal,
});

describe("the HTTP client", () => {
  test("sends and receives", async () => {
    const { url } = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (body) => {
        response.setHeader("x-kind", "echo").end(`${request.method} ${request.url} ${body}`);
      });
    });
    const http = client();
    const response = await http.request({ ...get(`${url}/a?b=1`), method: "POST", body: "hello" });
    expect(response).toMatchObject({ status: 200, headers: { "x-kind": "echo" } });
    expect(await readText(response.body, 1_000)).toBe("POST /a?b=1 hello");
  });

  test("uses connections again after a body was read, and follows no redirect", async () => {
    const { url, sockets } = await serve((_, response) =>
      response.writeHead(302, { location: "/elsewhere" }).end("no"),
    );
    const http = client();
    for (let turn = 0; turn < 20; turn += 1) {
      const response = await http.request(get(url));
      expect(response.status).toBe(302);
      await readText(response.body, 1_000);
    }
    // A body's end is told a moment before its connection is free, so a second one may be opened.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  test("an abort ends a request that waits, and one that is being read, with its reason", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/body") response.write("a piece");
    });
    const http = client();
    const waiting = new AbortController();
    const request = http.request(get(`${url}/nothing`, waiting.signal));
    waiting.abort(new Error("enough"));
    await expect(request).rejects.toThrow("enough");

    const reading = new AbortController();
    const { body } = await http.request(get(`${url}/body`, reading.signal));
    await expect(
      (async () => {
        for await (const chunk of body) {
          expect(Buffer.from(chunk).toString()).toBe("a piece");
          reading.abort(new Error("enough of this"));
        }
      })(),
    ).rejects.toThrow("enough of this");
  });

  test("cuts a text at its limit", async () => {
    const { url } = await serve((_, response) => response.end("x".repeat(100_000)));
    const response = await client().request(get(url));
    expect(await readText(response.body, 1_000)).toBe("x".repeat(1_000));
  });
});

describe("connectionFault", () => {
  const faultOf = async (url: string) =>
    client()
      .request(get(url))
      .then(() => "none")
      .catch((error: unknown) => connectionFault(error));

  test("knows a refused connection, and one that breaks", async () => {
    const gone = await serve(() => {});
    await gone.stop();
    expect(await faultOf(gone.url)).toBe("refused");
    const rude = await serve((request) => request.socket.destroy());
    expect(await faultOf(rude.url)).toBe("reset");
  });

  test.each([
    ["ENOTFOUND", "dns"],
    ["EAI_AGAIN", "dns"],
    ["UND_ERR_CONNECT_TIMEOUT", "unreachable"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["HPE_INVALID_CONSTANT", "protocol"],
    ["ENOMEM", "other"],
  ])("%s is %s, also as a cause or as one of several attempts", (code, fault) => {
    const error = Object.assign(new Error("x"), { code });
    expect(connectionFault(error)).toBe(fault);
    expect(connectionFault(new TypeError("failed", { cause: error }))).toBe(fault);
    expect(connectionFault(new AggregateError([new Error("y"), error]))).toBe(fault);
  });

  test("what is no error is other", () => {
    expect(connectionFault("text")).toBe("other");
  });
});
