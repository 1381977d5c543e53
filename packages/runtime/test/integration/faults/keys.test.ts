import { describe, expect, test } from "vitest";

import { agentOn, ask, run } from "./answers.ts";
import type { Answer } from "./answers.ts";
import { shareNode } from "./shared-node.ts";

const KEYS = {
  ops: "ops-key-0000",
  ann: "ann-key-0000",
  ben: "ben-key-0000",
  eye: "eye-key-0000",
  talker: "talker-key-00",
} as const;

const as = (name: keyof typeof KEYS) => ({ headers: { authorization: `Bearer ${KEYS[name]}` } });

const shared = shareNode((provider) => ({
  files: {
    "runtime.yaml": JSON.stringify({
      apiVersion: "astromesh/v1",
      kind: "RuntimeConfig",
      spec: { api: { host: "127.0.0.1", rate_limit: { requests_per_minute: 60, failed_auth_per_minute: 20 } } },
    }),
    ...agentOn(provider, "a", { memory: { conversational: {} } }),
  },
  env: {
    ASTROMESH_API_KEYS: [
      `ops:${KEYS.ops}:admin`,
      `ann:${KEYS.ann}:run+read`,
      `ben:${KEYS.ben}:run+read`,
      `eye:${KEYS.eye}:read`,
      `talker:${KEYS.talker}`,
    ].join(","),
  },
}));

describe("keys", () => {
  test("health stays open, everything else asks for a key and says how", async () => {
    const { node } = shared;
    for (const path of ["/health", "/ready"]) expect((await node.fetch(path)).status).toBe(200);
    for (const path of ["/v1/agents", "/v1/runs", "/metrics", "/v1/system/status", "/v1/logs", "/v1/config"]) {
      const { status, headers, body } = await ask(node, path);
      expect({ path, status, code: body.code }).toEqual({ path, status: 401, code: "unauthorized" });
      expect(headers.get("www-authenticate")).toContain("Bearer");
    }
  });

  test("have scopes: what is beyond them is 403 and names the scope", async () => {
    const { node } = shared;
    expect((await run(node, "a", {}, as("ann"))).status).toBe(200);
    const refused: [keyof typeof KEYS, string, object, string][] = [
      ["eye", "/v1/agents/a/run", { json: { query: "x" } }, "run"],
      ["ann", "/v1/agents", { json: {} }, "admin"],
      ["ann", "/v1/system/reload", { method: "POST" }, "admin"],
      ["ann", "/v1/config", {}, "admin"],
      ["ann", "/v1/logs", {}, "admin"],
      ["ann", "/v1/runs/run_x/approve", { method: "POST" }, "approve"],
    ];
    for (const [who, path, request, scope] of refused) {
      const { status, body } = await ask(node, path, { ...request, ...as(who) });
      expect({ path, status, code: body.code }).toEqual({ path, status: 403, code: "forbidden" });
      expect(body.detail).toContain(`scope ${scope}`);
    }
    expect((await ask(node, "/v1/config", as("ops"))).status).toBe(200);
  });
});

describe("principals", () => {
  test("see and steer their own runs only; others' are not there, admin sees all", async () => {
    const { node, provider } = shared;
    await provider.hold("end");
    const mine = await ask(node, "/v1/runs", { json: { agent: "a", query: "x" }, ...as("ann") });
    const path = `/v1/runs/${mine.body.run_id}`;
    await provider.reached("end");
    const asBen: Answer[] = [
      await ask(node, path, as("ben")),
      await ask(node, `${path}/journal`, as("ben")),
      await ask(node, `${path}/events`, as("ben")),
      await ask(node, `${path}/cancel`, { method: "POST", ...as("ben") }),
      await ask(node, `${path}/signal`, { json: { name: "x" }, ...as("ben") }),
    ];
    for (const { status, body } of asBen)
      expect({ status, code: body.code }).toEqual({ status: 404, code: "run_not_found" });
    const list = async (who: keyof typeof KEYS) => JSON.stringify((await ask(node, "/v1/runs", as(who))).body);
    expect(await list("ben")).not.toContain(mine.body.run_id);
    expect(await list("ann")).toContain(mine.body.run_id);
    expect(await list("ops")).toContain(mine.body.run_id);
    expect((await ask(node, `${path}/cancel`, { method: "POST", ...as("ops") })).status).toBe(202);
  });

  test("share neither sessions nor idempotency keys", async () => {
    const { node, provider } = shared;
    const talk = (who: "ann" | "ben", query: string) =>
      run(node, "a", { query, session_id: "shared" }, { headers: { ...as(who).headers, "idempotency-key": "same" } });
    await talk("ann", "My name is Ann.");
    const ben = await talk("ben", "Who am I?");
    expect(ben.status).toBe(200);
    const requests = await provider.requests();
    expect(requests).toHaveLength(2);
    expect(JSON.stringify(requests[1]?.body)).not.toContain("Ann");
  });
});

test("requests over the rate of a key are 429 with Retry-After; other keys and health go on", async () => {
  const { node } = shared;
  let refused: Answer | null = null;
  for (let n = 0; n <= 60 && refused === null; n += 1) {
    const answer = await ask(node, "/v1/agents", as("talker"));
    if (answer.status !== 200) refused = answer;
  }
  expect(refused).toMatchObject({ status: 429, body: { code: "rate_limited" } });
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await ask(node, "/v1/agents", as("eye"))).status).toBe(200);
  expect((await node.fetch("/health")).status).toBe(200);
});

test("guessing keys is slowed down by address, and says nothing of which was near", async () => {
  const { node } = shared;
  const guess = () => ask(node, "/v1/agents", { headers: { "x-api-key": "wrong-key-00" } });
  const statuses: number[] = [];
  for (let n = 0; n < 21; n += 1) statuses.push((await guess()).status);
  expect(statuses.at(-1)).toBe(429);
  expect(Number((await guess()).headers.get("retry-after"))).toBeGreaterThan(0);
  // Who has a key is not kept out by a neighbour who has none.
  expect((await ask(node, "/v1/agents", as("eye"))).status).toBe(200);
});
