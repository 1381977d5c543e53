import { describe, expect, test } from "vitest";

import type { Json } from "../../../src/core/index.ts";
import type { FakeProvider } from "../../fakes/fake-provider/index.ts";
import { framesOf } from "../../fakes/index.ts";
import { waitFor } from "../../harness/index.ts";
import { agentOn, ask, begin, run, runReaches } from "./answers.ts";
import { shareNode } from "./shared-node.ts";

/** Models may be silent for this long here. */
const TIMEOUT = "300ms";

/** What a sick model does, and what the client is told. Each has an agent, so that breakers do not mix. */
const SICK: readonly {
  readonly name: string;
  readonly script: Json;
  readonly code: string;
  readonly says: string;
  /** Calls that the model gets. */
  readonly calls: number;
}[] = [
  { name: "silent", script: fault({ silence_ms: 60_000 }), code: "model_timeout", says: "sent nothing", calls: 1 },
  {
    name: "silent-midway",
    script: fault({ silence_ms: 60_000, after_tokens: 2 }),
    code: "model_timeout",
    says: "sent nothing",
    calls: 1,
  },
  { name: "broken", script: fault({ status: 500 }), code: "model_unavailable", says: "scripted fault", calls: 3 },
  { name: "busy", script: fault({ status: 429 }), code: "model_rate_limited", says: "scripted fault", calls: 3 },
  { name: "locked", script: fault({ status: 401 }), code: "model_auth", says: "no key was sent", calls: 1 },
  { name: "picky", script: fault({ status: 400 }), code: "model_rejected", says: "scripted fault", calls: 1 },
  {
    name: "garbled",
    script: fault({ garbage: true }),
    code: "model_bad_response",
    says: "not be understood",
    calls: 3,
  },
  { name: "dying", script: fault({ break_after_tokens: 2 }), code: "model_stream_broken", says: "broke off", calls: 2 },
  { name: "endless", script: fault({ no_end: true }), code: "model_stream_broken", says: "broke off", calls: 2 },
];

function fault(what: Json): Json {
  return [{ reply: "one two three four", fault: what }];
}

const PROTOCOLS = ["ollama", "openai_compat"] as const;

const agentName = (protocol: string, name: string): string => `${protocol.replace("_", "-")}-${name}`;

function agents(provider: FakeProvider): Record<string, string> {
  const endpoints = { ollama: provider.ollamaUrl, openai_compat: provider.openAiUrl };
  const tools = [{ name: "calculator", type: "builtin" }];
  const fallback = { provider: "ollama", model: "good:latest", endpoint: provider.ollamaUrl };
  const shaky = { provider: "shaky", model: "shaky:latest" };
  const loop = { tools, orchestration: { max_iterations: 3 } };
  return Object.assign(
    {
      "providers.yaml": JSON.stringify({
        apiVersion: "astromesh/v1",
        kind: "ProviderConfig",
        spec: {
          providers: { shaky: { type: "ollama", endpoint: provider.ollamaUrl } },
          routing: { circuit_breaker: { failure_threshold: 3, recovery_timeout: "1s" } },
        },
      }),
    },
    ...PROTOCOLS.flatMap((protocol) =>
      [...SICK.map(({ name }) => name), "down", "hurried", "cut", "large"].map((name) =>
        agentOn(
          provider,
          agentName(protocol, name),
          {},
          {
            provider: protocol,
            timeout: TIMEOUT,
            endpoint: name === "down" ? "http://127.0.0.1:1" : endpoints[protocol],
          },
        ),
      ),
    ),
    agentOn(provider, "sum", loop),
    agentOn(provider, "slow", {}, { timeout: "5s" }),
    agentOn(provider, "safe", { model: { primary: shaky, fallback } }),
    agentOn(provider, "midway", {
      model: { primary: { ...fallback, model: "midway:latest" }, fallback: { ...fallback, model: "other:latest" } },
    }),
  ) as Record<string, string>;
}

const shared = shareNode((provider) => ({ files: agents(provider) }));

describe.each(PROTOCOLS)("a model on %s", (protocol) => {
  const agent = (name: string): string => agentName(protocol, name);

  test.each(SICK)("that is $name: 502 $code", async ({ name, script, code, says, calls }) => {
    const { node, provider } = shared;
    await provider.script(script);
    const { status, body } = await run(node, agent(name));
    expect({ status, code: body.code }, JSON.stringify(body)).toEqual({ status: 502, code });
    expect(body.detail).toContain(says);
    expect(body).toMatchObject({ status: "failed", stop_reason: "error" });
    expect(await provider.count()).toBe(calls);
    const kept = await ask(node, `/v1/runs/${body.run_id}`);
    expect(kept.body).toMatchObject({ status: "failed", error: { code } });
  });

  test("that is down: 502, and the address to look at", async () => {
    const { status, body } = await run(shared.node, agent("down"));
    expect(status).toBe(502);
    expect(body.code).toBe("model_unavailable");
    expect(body.detail).toContain("http://127.0.0.1:1 refused the connection");
  });

  test("that asks for patience is asked again after it", async () => {
    const { node, provider } = shared;
    const late = { status: 429, retry_after_ms: 400 };
    await provider.script([{ times: 1, fault: late }, { reply: "now" }]);
    const startedMs = performance.now();
    const { status, body } = await run(node, agent("hurried"));
    expect(status, body.detail).toBe(200);
    expect(body.response).toBe("now");
    expect(performance.now() - startedMs).toBeGreaterThan(390);
  });

  test("that asks for more patience than a run has: told on at once, with the time to wait", async () => {
    const { node, provider } = shared;
    await provider.script(fault({ status: 429, retry_after_ms: 90_000 }));
    const { status, headers, body } = await run(node, agent("hurried"));
    expect(status).toBe(502);
    expect(body.code).toBe("model_rate_limited");
    expect(headers.get("retry-after")).toBe("90");
    expect(await provider.count()).toBe(1);
  });

  test("that dies in mid-answer once: the answer is whole, and the stream takes the first half back", async () => {
    const { node, provider } = shared;
    await provider.script([
      { times: 1, reply: "this is lost", fault: { break_after_tokens: 2 } },
      { reply: "the whole answer" },
    ]);
    const response = await node.fetch(`/v1/agents/${agent("cut")}/run`, { json: { query: "hello", stream: true } });
    let text = "";
    const seen: string[] = [];
    for await (const { event, data } of framesOf(response)) {
      seen.push(event ?? "");
      if (event === "token") text += String(data?.["text"]);
      if (event === "retract") text = "";
    }
    expect(seen).toContain("retract");
    expect(text).toBe("the whole answer");
  });

  test("that answers with 200 KB: nothing of it is lost", async () => {
    const { node, provider } = shared;
    const reply = Array.from({ length: 25_000 }, (_, n) => String(n).padStart(7, "0")).join(" ");
    await provider.script([{ reply }]);
    const { status, body } = await run(node, agent("large"));
    expect(status).toBe(200);
    expect(body.response).toBe(reply);
    expect((await ask(node, `/v1/runs/${body.run_id}`)).body.response).toBe(reply);
  });

  test("that is sick did not wear the others out", async () => {
    const { status, body } = await run(shared.node, agent("large"));
    expect(status, body.detail).toBe(200);
  });
});

test("a slow model is waited for", async () => {
  const { node, provider } = shared;
  await provider.script([{ reply: "late but here", delay_ms: 700 }]);
  expect((await run(node, "slow")).body.response).toBe("late but here");
});

describe("tool calls", () => {
  const calls = (...toolCalls: Json[]): Json => [
    { match: { tool: "none" }, reply: "Let me see.", tool_calls: toolCalls },
    { reply: "Result: {tool_result}" },
  ];

  test("mixed with text: both count", async () => {
    const { node, provider } = shared;
    await provider.script(calls({ name: "calculator", arguments: { expression: "6 * 7" } }));
    const { body } = await run(node, "sum");
    expect(body).toMatchObject({ status: "completed", tool_calls: [{ name: "calculator", ok: true }] });
    expect(body.response).toContain("42");
    const [, second] = await provider.requests();
    expect(JSON.stringify(second?.body)).toContain("Let me see.");
  });

  test.each([
    ["of a tool that is not there", { name: "teleport", arguments: {} }, "There is no tool teleport"],
    ["that break the schema", { name: "calculator", arguments: { formula: "1" } }, "expression"],
    ["of the wrong type", { name: "calculator", arguments: { expression: 5 } }, "expression"],
    ["that are no object", { name: "calculator", arguments: "[1" }, "must be a JSON object"],
    ["that make no sense", { name: "calculator", arguments: { expression: "1 +" } }, "a value was expected"],
  ])("%s are told to the model, and the run goes on", async (_, call, says) => {
    const { node, provider } = shared;
    await provider.script(calls(call));
    const { status, body } = await run(node, "sum");
    expect(status, body.detail).toBe(200);
    expect(body.response).toContain(says);
    expect(body.tool_calls).toMatchObject([{ name: call.name, ok: false }]);
  });

  test("good and bad ones side by side", async () => {
    const { node, provider } = shared;
    const good = { name: "calculator", arguments: { expression: "2 + 2" } };
    await provider.script(calls(good, { name: "teleport", arguments: {} }, good));
    const { body } = await run(node, "sum");
    expect(body.tool_calls.map(({ ok }) => ok)).toEqual([true, false, true]);
  });

  test("for ever end with max_iterations and what was said last", async () => {
    const { node, provider } = shared;
    await provider.script([
      { reply: "still at it", tool_calls: [{ name: "calculator", arguments: { expression: "1" } }] },
    ]);
    const { status, body } = await run(node, "sum");
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "completed", stop_reason: "max_iterations", response: "still at it" });
    expect(await provider.count()).toBe(3);
  });
});

describe("the fallback", () => {
  test("answers while the first is sick; the breaker opens, shows, rests it, and closes again", async () => {
    const { node, provider } = shared;
    await provider.script([{ match: { model: "shaky:latest" }, fault: { status: 503 } }, { reply: "from the other" }]);
    const breaker = async (): Promise<string | undefined> => {
      const { providers } = (await (await node.fetch("/v1/providers")).json()) as {
        providers: { name: string; breaker: string }[];
      };
      return providers.find(({ name }) => name === "shaky")?.breaker;
    };
    expect(await breaker()).toBe("closed");
    expect((await run(node, "safe")).body).toMatchObject({ response: "from the other", model: "good:latest" });
    expect(await breaker()).toBe("open");
    expect(await (await node.fetch("/metrics")).text()).toMatch(
      /astromesh_model_breaker\{gen_ai_provider_name="shaky"\} 2/,
    );
    const asked = await provider.count();
    expect((await run(node, "safe")).body.response).toBe("from the other");
    expect(await provider.count()).toBe(asked + 1);

    await provider.script([{ reply: "well again" }]);
    await waitFor("the first answers again", async () => (await run(node, "safe")).body.model === "shaky:latest");
    expect(await breaker()).toBe("closed");
  });

  test("finishes an answer that broke off", async () => {
    const { node, provider } = shared;
    await provider.script([
      { match: { model: "midway:latest" }, reply: "half of an", fault: { break_after_tokens: 2 } },
      { reply: "a whole answer" },
    ]);
    const runId = await begin(node, "midway");
    const { response, model } = await runReaches(node, runId, "completed");
    expect({ response, model }).toEqual({ response: "a whole answer", model: "other:latest" });
  });
});
