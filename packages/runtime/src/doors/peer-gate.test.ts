import { describe, expect, test } from "vitest";

import type { Principal } from "../core/index.ts";
import { createPeerClient, meshKeyring } from "../net/index.ts";
import type { HttpClient, PeerSender } from "../net/index.ts";
import { PEER_HEADERS } from "../wire/index.ts";
import { createPeerGate } from "./peer-gate.ts";
import type { PeerArrival, PeerGateOptions } from "./peer-gate.ts";

const OLD = "the old secret of the mesh";
const NEW = "the new secret of the mesh";
const ADMIN: Principal = { id: "ann", scopes: ["run", "admin"] };

/** What a client would send, as it arrives. */
async function arrivals(
  given: Partial<PeerSender> & { readonly receiver?: string | null; readonly address?: string; readonly echo?: string },
): Promise<PeerArrival[]> {
  const sent: PeerArrival[] = [];
  const { receiver = "node_b", address = "127.0.0.1", echo, ...sender } = given;
  const http = {
    request: async ({ method, url, headers, body }: Parameters<HttpClient["request"]>[0]) => {
      const { pathname, search } = new URL(url);
      sent.push({
        method,
        path: pathname + search,
        headers: new Headers(headers),
        body: body ?? "",
        peerAddress: address,
      });
      const challenged = sent.length === 1 && echo !== undefined;
      return {
        status: challenged ? 409 : 200,
        headers: challenged ? { [PEER_HEADERS.challenge]: echo } : {},
        body: (async function* none() {})(),
      };
    },
    stop: async () => {},
  };
  const client = createPeerClient({
    http,
    sender: { nodeId: "node_a", boot: 1, cluster: "astromesh", keyring: meshKeyring([OLD]), ...sender },
  });
  await client.send(
    { url: "http://127.0.0.1:1", nodeId: receiver },
    {
      path: "/v1/peer/runs/get",
      body: '{"runId":"run_1"}',
      principal: ADMIN,
      via: ["node_x"],
      deadlineMs: 500,
      traceparent: null,
      signal: new AbortController().signal,
    },
  );
  return sent;
}

const gate = (options: Partial<PeerGateOptions> = {}) =>
  createPeerGate({ nodeId: "node_b", cluster: "astromesh", keyring: meshKeyring([NEW, OLD]), keyed: true, ...options });

/** The arrival again, with some of it changed. */
const changed = (
  arrival: PeerArrival,
  headers: Record<string, string>,
  parts: Partial<PeerArrival> = {},
): PeerArrival => {
  const copy = new Headers(arrival.headers);
  for (const [name, value] of Object.entries(headers)) copy.set(name, value);
  return { ...arrival, headers: copy, ...parts };
};

function challengeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String((error as { details?: { challenge?: unknown } }).details?.challenge);
  }
  throw new Error("it was admitted");
}

describe("a signed mesh", () => {
  test("admits a new boot after it echoed a challenge, once", async () => {
    const door = gate();
    const [first] = await arrivals({});
    const challenge = challengeOf(() => door.admit(first!, false));
    const [, second] = await arrivals({ echo: challenge });
    expect(door.admit(second!, false)).toEqual({
      nodeId: "node_a",
      principal: ADMIN,
      via: ["node_x"],
      deadlineMs: 500,
    });
    expect(() => door.admit(second!, false)).toThrow("made before");
  });

  test("a challenge serves once, and not for what was recorded before", async () => {
    const door = gate();
    const [recorded] = await arrivals({});
    const challenge = challengeOf(() => door.admit(recorded!, false));
    expect(() => door.admit(changed(recorded!, { [PEER_HEADERS.echo]: challenge }), false)).toThrow("not signed with");
  });

  test.each([
    ["another body", {}, { body: '{"runId":"run_2"}' }],
    ["another path", {}, { path: "/v1/peer/runs/cancel" }],
    ["another sender", { [PEER_HEADERS.sender]: "node_c 1 1" }, {}],
    ["another counter", { [PEER_HEADERS.sender]: "node_a 1 9" }, {}],
    [
      "another principal",
      { [PEER_HEADERS.context]: Buffer.from('{"principal":null,"via":[],"deadline_ms":null}').toString("base64url") },
      {},
    ],
    ["no seal", { [PEER_HEADERS.seal]: "" }, {}],
  ])("refuses %s", async (_, headers, parts) => {
    const [first] = await arrivals({});
    expect(() => gate().admit(changed(first!, headers, parts), false)).toThrowError(
      expect.objectContaining({ code: "unauthorized" }),
    );
  });

  test("refuses a stranger's secret, another node's request and another mesh's", async () => {
    const [stranger] = await arrivals({ keyring: meshKeyring(["a stranger's secret"]) });
    expect(() => gate().admit(stranger!, false)).toThrowError(expect.objectContaining({ code: "unauthorized" }));
    for (const given of [{ receiver: "node_z" }, { cluster: "other" }, { receiver: null }]) {
      const [misdirected] = await arrivals(given);
      expect(() => gate().admit(misdirected!, false)).toThrowError(expect.objectContaining({ code: "misdirected" }));
    }
  });

  test("a status may be asked of whoever listens", async () => {
    const [asked] = await arrivals({ receiver: null });
    expect(() => gate().admit(asked!, true)).toThrowError(expect.objectContaining({ code: "peer_unproven" }));
  });
});

describe("a mesh without a secret", () => {
  const open = { keyring: null, keyed: false };

  test("believes this machine", async () => {
    const [first] = await arrivals({ keyring: null });
    expect(gate(open).admit(first!, false).principal).toEqual(ADMIN);
  });

  test("believes a private network, but not that somebody there administers", async () => {
    const [first] = await arrivals({ keyring: null, address: "10.0.0.7" });
    expect(gate(open).admit(first!, false).principal).toEqual({ id: "ann", scopes: ["run"] });
  });

  test("refuses the internet, proxies, and everybody once there are API keys", async () => {
    const [near] = await arrivals({ keyring: null });
    const [far] = await arrivals({ keyring: null, address: "93.184.216.34" });
    const refusal = expect.objectContaining({ code: "unauthorized" });
    expect(() => gate(open).admit(far!, false)).toThrowError(refusal);
    expect(() => gate(open).admit(changed(near!, { "x-forwarded-for": "1.2.3.4" }), false)).toThrowError(refusal);
    expect(() => gate({ keyring: null, keyed: true }).admit(near!, false)).toThrowError(refusal);
  });
});
