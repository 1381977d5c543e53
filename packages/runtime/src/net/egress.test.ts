import { gzipSync } from "node:zlib";

import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { createTestServers } from "../../test/fakes/index.ts";
import type { TestServers } from "../../test/fakes/index.ts";
import { classOfAddress, createEgress } from "./index.ts";
import type { Egress, EgressRequest, ResolveHost } from "./index.ts";

const servers = createTestServers();
const serve: TestServers["serve"] = async (listener) => servers.serve(listener);
const egresses: Egress[] = [];
afterEach(async () => {
  await Promise.all(egresses.splice(0).map(async (egress) => egress.stop()));
  await servers.stop();
});

function makeEgress(resolve?: ResolveHost): Egress {
  const egress = createEgress(resolve === undefined ? {} : { resolve });
  egresses.push(egress);
  return egress;
}

function get(url: string, parts: Partial<EgressRequest> = {}): EgressRequest {
  return {
    method: "GET",
    url,
    headers: {},
    secretHeaders: {},
    body: null,
    policy: { allowPrivate: true, hosts: null },
    maxResponseBytes: 1_000,
    signal: new AbortController().signal,
    ...parts,
  };
}

const guarded = { policy: { allowPrivate: false, hosts: null } };

describe("classes of addresses", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const v4 = (first: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(first, byte, byte).map(([first, c, d]) => `${first}.${c}.${d}`);
  const pair = (a: number, from: number, to: number): fc.Arbitrary<string> =>
    fc.integer({ min: from, max: to }).map((b) => `${a}.${b}`);
  const privateV4 = v4(
    fc.oneof(
      pair(10, 0, 255),
      pair(127, 0, 255),
      pair(172, 16, 31),
      fc.constant("192.168"),
      pair(100, 64, 99),
      pair(198, 18, 19),
    ),
  );
  const forbiddenV4 = v4(
    fc.oneof(
      pair(0, 0, 255),
      fc.constant("169.254"),
      fc.integer({ min: 224, max: 255 }).chain((a) => pair(a, 0, 255)),
    ),
  );
  const publicV4 = v4(fc.oneof(pair(8, 0, 255), pair(93, 0, 255), pair(172, 32, 255), pair(100, 128, 255)));
  const dressed = (address: string): string[] => {
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    const high = (a * 256 + b).toString(16);
    const low = (c * 256 + d).toString(16);
    return [
      address,
      `::ffff:${address}`,
      `::ffff:${high}:${low}`,
      `0:0:0:0:0:ffff:${high}:${low}`,
      `64:ff9b::${high}:${low}`,
    ];
  };

  it("judges IPv4 addresses in every spelling of theirs", () => {
    for (const [addresses, expected] of [
      [privateV4, "private"],
      [forbiddenV4, "forbidden"],
      [publicV4, "public"],
    ] as const) {
      fc.assert(
        fc.property(addresses, (address) => {
          for (const spelling of dressed(address))
            expect([spelling, classOfAddress(spelling)]).toEqual([spelling, expected]);
        }),
      );
    }
  });

  it("opens only global unicast of IPv6", () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const rest = fc.array(group, { minLength: 7, maxLength: 7 });
    const first = fc.integer({ min: 0x0065, max: 0xffff });
    fc.assert(
      fc.property(first, rest, (first, rest) => {
        const kind = classOfAddress([first.toString(16), ...rest].join(":"));
        const special = first === 0x2001 || first === 0x2002 || first === 0x3fff;
        if (first >= 0x2000 && first <= 0x3fff && !special) expect(kind).toBe("public");
        if (first < 0x2000 || first > 0xfdff) expect(kind).toBe("forbidden");
        if (first >= 0xfc00 && first <= 0xfdff) expect(kind).not.toBe("public");
      }),
    );
  });

  it.each([
    ["169.254.169.254", "forbidden"],
    ["::ffff:169.254.169.254", "forbidden"],
    ["fd00:ec2::254", "forbidden"],
    ["fd20:ce::254", "forbidden"],
    ["100.100.100.200", "forbidden"],
    ["168.63.129.16", "forbidden"],
    ["::", "forbidden"],
    ["::1", "private"],
    ["::127.0.0.1", "forbidden"],
    ["fe80::1", "forbidden"],
    ["fe80::1%eth0", "forbidden"],
    ["ff02::1", "forbidden"],
    ["2002:7f00:1::", "forbidden"],
    ["2606:4700:4700::1111", "public"],
    ["255.255.255.255", "forbidden"],
    ["127.1", "forbidden"],
    ["localhost", "forbidden"],
    ["", "forbidden"],
  ] as const)("%s is %s", (address, expected) => {
    expect(classOfAddress(address)).toBe(expected);
  });
});

describe("the guard", () => {
  it("refuses loopback in every spelling of a URL, without a connection", async () => {
    const { port, seen } = await serve((_request, response) => response.end("secret"));
    const egress = makeEgress();
    const hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::1]"];
    for (const host of [...hosts, "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"]) {
      await expect(egress.request(get(`http://${host}:${port}/`, guarded)), host).rejects.toMatchObject({
        code: "tool_denied",
      });
    }
    expect(seen).toHaveLength(0);
  });

  it("keeps metadata services closed even where private addresses are open", async () => {
    const egress = makeEgress();
    for (const host of ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "0.0.0.0"]) {
      await expect(egress.request(get(`http://${host}/latest/meta-data`)), host).rejects.toMatchObject({
        code: "tool_denied",
      });
    }
  });

  it("judges what a name resolves to, one refused address refusing it", async () => {
    const answers: Record<string, string[]> = {
      "inside.test": ["10.0.0.7"],
      "mixed.test": ["93.184.216.34", "127.0.0.1"],
      "nowhere.test": [],
    };
    const egress = makeEgress(async (hostname) => answers[hostname] ?? []);
    await expect(egress.request(get("http://inside.test/", guarded))).rejects.toThrow(
      "inside.test (10.0.0.7) is a private address",
    );
    await expect(egress.request(get("http://mixed.test/", guarded))).rejects.toMatchObject({ code: "tool_denied" });
    await expect(egress.request(get("http://nowhere.test/", guarded))).rejects.toMatchObject({ code: "tool_failed" });
  });

  it("connects to the address that it judged: the name is asked once for each connection", async () => {
    const { port, seen } = await serve((_request, response) => response.end("ok"));
    const answers = ["127.0.0.1", "169.254.169.254"];
    const asked: string[] = [];
    const egress = makeEgress(async (hostname) => {
      asked.push(hostname);
      return [answers[asked.length - 1] ?? "169.254.169.254"];
    });
    const { body } = await egress.request(get(`http://rebind.test:${port}/`));
    expect(Buffer.from(body).toString()).toBe("ok");
    expect(seen[0]?.headers.host).toBe(`rebind.test:${port}`);
    expect(asked).toEqual(["rebind.test"]);
    await egress.stop();
    await expect(
      makeEgress(async () => ["127.0.0.1"]).request(get(`http://rebind.test:${port}/`, guarded)),
    ).rejects.toMatchObject({ code: "tool_denied" });
  });

  it("never lends an open connection to a request that may not have it", async () => {
    const { url } = await serve((_request, response) => response.end("ok"));
    const egress = makeEgress();
    await egress.request(get(url));
    await expect(egress.request(get(url, guarded))).rejects.toMatchObject({ code: "tool_denied" });
  });

  it("refuses other schemes, passwords in URLs and hosts that are not listed", async () => {
    const egress = makeEgress();
    const only = (hosts: string[]): Partial<EgressRequest> => ({ policy: { allowPrivate: true, hosts } });
    await expect(egress.request(get("file:///etc/passwd"))).rejects.toMatchObject({ code: "tool_denied" });
    await expect(egress.request(get("http://a:b@example.test/"))).rejects.toMatchObject({ code: "tool_denied" });
    await expect(egress.request(get("not a url"))).rejects.toMatchObject({ code: "tool_invalid_arguments" });
    for (const hosts of [["example.test"], ["*.evil.test"], ["evil.test:81"], ["vil.test"], []]) {
      await expect(egress.request(get("http://evil.test/", only(hosts)))).rejects.toThrow("not among the hosts");
    }
    const { url, port } = await serve((_request, response) => response.end("ok"));
    const local = makeEgress(async () => ["127.0.0.1"]);
    for (const hosts of [["a.Example.test"], ["*.example.test"], [`a.example.test:${port}`]]) {
      expect(await local.request(get(`http://a.example.test:${port}`, only(hosts)))).toMatchObject({ status: 200 });
    }
    expect(await local.request(get(url, only(["127.0.0.1"])))).toMatchObject({ status: 200 });
  });
});

describe("redirects", () => {
  it("are followed with the guard on each hop", async () => {
    const { url } = await serve((_request, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end(),
    );
    await expect(makeEgress().request(get(url))).rejects.toMatchObject({ code: "tool_denied" });
    const hosts = { policy: { allowPrivate: true, hosts: ["127.0.0.1"] } };
    const away = await serve((_request, response) => response.writeHead(307, { location: "http://localhost/" }).end());
    await expect(makeEgress().request(get(away.url, hosts))).rejects.toThrow("not among the hosts");
    const file = await serve((_request, response) => response.writeHead(301, { location: "file:///etc/passwd" }).end());
    await expect(makeEgress().request(get(file.url))).rejects.toMatchObject({ code: "tool_denied" });
  });

  it("leave keys behind on another origin, and keep them on the same", async () => {
    const target = await serve((_request, response) => response.end("there"));
    const source = await serve((request, response) => {
      const location = request.url === "/" ? "/again" : target.url;
      response.writeHead(302, { location }).end();
    });
    const answer = await makeEgress().request(
      get(source.url, {
        headers: { cookie: "a=b", "x-plain": "1" },
        secretHeaders: { "x-api-key": "key", authorization: "Bearer key" },
      }),
    );
    expect(answer.url).toBe(`${target.url}/`);
    expect(source.seen.map((request) => request.headers["x-api-key"])).toEqual(["key", "key"]);
    expect(target.seen[0]?.headers).toMatchObject({ "x-plain": "1" });
    for (const name of ["x-api-key", "authorization", "cookie"])
      expect(target.seen[0]?.headers).not.toHaveProperty(name);
  });

  it("turn a POST into a GET where the standard says so, and end after five", async () => {
    const { url, seen } = await serve((request, response) => {
      const [, status, left] = /^\/(\d+)\/(\d+)/.exec(request.url ?? "") ?? [];
      if (left === "0") response.end();
      else response.writeHead(Number(status), { location: `/${status}/${Number(left) - 1}` }).end();
    });
    const post = { method: "POST", body: "x" };
    for (const [status, method] of [
      [302, "GET"],
      [303, "GET"],
      [307, "POST"],
    ] as const) {
      await makeEgress().request(get(`${url}/${status}/1`, post));
      expect(seen.at(-1)?.method).toBe(method);
    }
    await expect(makeEgress().request(get(`${url}/302/6`))).rejects.toThrow("redirects more than 5 times");
  });
});

describe("answers", () => {
  it("are cut at the limit while a server goes on sending", async () => {
    const { url } = await serve((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    const answer = await makeEgress().request(get(url, { maxResponseBytes: 100_000 }));
    expect([answer.body.length, answer.truncated]).toEqual([100_000, true]);
  });

  it("are measured after decompression", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(10_000_000)));
    });
    const answer = await makeEgress().request(get(url));
    expect([answer.body.length, answer.truncated]).toEqual([1_000, true]);
    const exact = await serve((_request, response) => response.end("x".repeat(1_000)));
    expect(await makeEgress().request(get(exact.url))).toMatchObject({ truncated: false });
  });

  it("that never come end with the signal's reason", async () => {
    const aborting = new AbortController();
    const { url } = await serve(() => aborting.abort(new Error("time is over")));
    await expect(makeEgress().request(get(url, { signal: aborting.signal }))).rejects.toThrow("time is over");
  });

  it("that cannot come are tool failures that name the cause", async () => {
    const { url } = await serve((_request, response) => response.destroy());
    await expect(makeEgress().request(get(url))).rejects.toMatchObject({ code: "tool_failed" });
    await servers.stop();
    await expect(makeEgress().request(get(url))).rejects.toThrow("ECONNREFUSED");
  });

  it("are not asked for with headers that would split the request", async () => {
    const { url, seen } = await serve((_request, response) => response.end());
    await expect(makeEgress().request(get(url, { headers: { "x-a": "1\r\nx-b: 2" } }))).rejects.toMatchObject({
      code: "tool_invalid_arguments",
    });
    expect(seen).toHaveLength(0);
  });
});
