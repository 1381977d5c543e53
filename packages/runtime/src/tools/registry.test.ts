import { describe, expect, it } from "vitest";

import { agentDefinition, manualClock, memoryCache, toolEntry, toolScope } from "../../test/fakes/index.ts";
import { AstromeshError } from "../core/index.ts";
import type { AgentDefinition, JsonObject, ToolEntry } from "../core/index.ts";
import type { Egress } from "../net/index.ts";
import { createTools } from "./index.ts";
import type { Tools, ToolsDeps } from "./index.ts";

/** HTTP that answers only when its request is given up. */
const silent: Egress = {
  request: async ({ signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  stop: async () => {},
};

function setUp(parts: Partial<ToolsDeps> = {}) {
  const clock = manualClock(Date.UTC(2026, 10, 20, 9, 30));
  const deps: ToolsDeps = {
    clock,
    egress: silent,
    cache: memoryCache(),
    render: async (template, data) => `${template}:${JSON.stringify(data)}`,
    filesDir: "/nowhere",
    expand: (config) => config,
    ...parts,
  };
  return { clock, tools: createTools(deps) };
}

function agentWith(...tools: ToolEntry[]): AgentDefinition {
  return agentDefinition({ tools });
}

function only(tools: Tools, entry: ToolEntry) {
  const tool = tools.forAgent(agentWith(entry)).get(entry.name);
  if (tool === undefined) throw new Error(tools.faults(agentWith(entry))[0]?.message);
  return tool;
}

describe("an agent's tools", () => {
  it("are those of its entries, with the entries' overrides", () => {
    const { tools } = setUp();
    const parameters = { type: "object", properties: { url: { type: "string" } }, required: ["url"] };
    const entry = toolEntry("http_request", {
      description: "Asks our API.",
      parameters,
      effect: "read",
      approval: "ask",
      timeoutMs: 7,
    });
    const tool = only(tools, entry);
    expect(tool.spec).toEqual({ name: "http_request", description: "Asks our API.", parameters });
    expect([tool.source, tool.effect, tool.approval, tool.timeoutMs]).toEqual(["builtin", "read", "ask", 7]);
    expect(tool.effectOf({ url: "http://x.test", method: "POST" })).toBe("read");
  });

  it("must fit an entry's own schema and the tool's", () => {
    const { tools } = setUp();
    const narrow = { type: "object", properties: { expression: { type: "string", maxLength: 3 } } };
    const tool = only(tools, toolEntry("calculator", { parameters: narrow }));
    expect(tool.invalid({ expression: "1+1" })).toBeNull();
    expect(tool.invalid({ expression: "10+1" })).toContain('"expression" must NOT have more than 3 characters');
    expect(tool.invalid({})).toBe('"expression" is missing');
  });

  it("are bound once for all runs of an agent, until an entry changes", () => {
    const { tools } = setUp();
    const entry = toolEntry("calculator");
    const first = tools.forAgent(agentWith(entry));
    expect(tools.forAgent({ ...agentWith({ ...entry }), version: "2.0.0" })).toBe(first);
    expect(tools.forAgent(agentWith(toolEntry("calculator", { timeoutMs: 1 })))).not.toBe(first);
    expect(tools.forAgent({ ...agentWith(entry), name: "other" })).not.toBe(first);
  });

  it("leave out what cannot be offered, and say why", () => {
    const { tools } = setUp();
    const definition = {
      ...agentWith(
        toolEntry("calculator"),
        toolEntry("calculater"),
        toolEntry("calculator", { timeoutMs: 5 }),
        toolEntry("search", { type: "mcp" }),
        toolEntry("read_file", { config: { rot: "/srv" } }),
        toolEntry("http_request", { config: { headers: { authorization: "Bearer ${KEY}" } } }),
        toolEntry("datetime_now", { parameters: { type: "object", properties: { timezone: { type: "strng" } } } }),
        toolEntry("json_transform", { parameters: { type: "string" } }),
        toolEntry("a b", { type: "webhook", config: { url: "http://x.test" } }),
        toolEntry("write_file"),
      ),
      permissions: {
        allowedActions: "calculator calculater search read_file http_request datetime_now json_transform"
          .split(" ")
          .concat("a b"),
      },
    };
    expect([...tools.forAgent(definition).keys()]).toEqual(["calculator"]);
    expect(tools.faults(definition)).toEqual([
      {
        index: 1,
        message: expect.stringContaining('tool "calculater": there is no such builtin tool; there are cache_store'),
      },
      { index: 2, message: 'tool "calculator": another tool of this agent has the same name' },
      { index: 3, message: 'tool "search": tools of type mcp are not in this release; it is not offered' },
      { index: 4, message: 'tool "read_file": `config`: "rot" is not known' },
      { index: 5, message: expect.stringContaining('`config`: "headers" needs "hosts"') },
      { index: 6, message: expect.stringContaining("`parameters` is no valid JSON Schema") },
      { index: 7, message: expect.stringContaining("`type: object`") },
      { index: 8, message: expect.stringContaining("letters, digits, _ and -") },
      { index: 9, message: 'tool "write_file": `permissions.allowed_actions` leaves it out' },
    ]);
  });

  it("respect a rate limit in a sliding window, over all runs of the agent", async () => {
    const { clock, tools } = setUp();
    const entry = toolEntry("calculator", { rateLimit: { windowMs: 10_000, maxCalls: 2 } });
    const call = async () => only(tools, entry).execute({ expression: "1" }, toolScope());
    expect(await call()).toMatchObject({ ok: true });
    clock.advance(6_000);
    expect(await call()).toMatchObject({ ok: true });
    expect(await call()).toEqual({
      ok: false,
      code: "rate_limited",
      message: "too many calls; the next is possible in 4 s",
    });
    clock.advance(4_000);
    expect(await call()).toMatchObject({ ok: true });
    expect(await call()).toMatchObject({ code: "rate_limited" });
  });

  it("expand settings at the call, and report a variable that is not set", async () => {
    const expanded: JsonObject[] = [];
    const { tools } = setUp({
      expand: (config) => {
        expanded.push(config);
        throw new AstromeshError("config_invalid", "the variable API_KEY is not set");
      },
    });
    const entry = toolEntry("http_request", { config: { headers: { a: "${API_KEY}" }, hosts: ["x.test"] } });
    const tool = only(tools, entry);
    expect(expanded).toEqual([]);
    expect(await tool.execute({ url: "http://x.test" }, toolScope())).toEqual({
      ok: false,
      code: "config_invalid",
      message: "the variable API_KEY is not set",
    });
  });

  it("let a cancelled run's reason through instead of reporting a failure", async () => {
    const { tools } = setUp();
    const cancelling = new AbortController();
    const tool = only(tools, toolEntry("http_request"));
    const call = tool.execute({ url: "http://x.test" }, toolScope({ signal: cancelling.signal }));
    cancelling.abort(new AstromeshError("cancelled", "the run was cancelled"));
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("builtin tools without an agent", () => {
  it("are listed with the strongest class that a call can have", () => {
    const { tools } = setUp();
    expect(tools.builtin().map(({ name, effect }) => [name, effect])).toEqual([
      ["cache_store", "idempotent"],
      ["calculator", "read"],
      ["datetime_now", "read"],
      ["http_request", "once"],
      ["json_transform", "read"],
      ["read_file", "read"],
      ["send_webhook", "once"],
      ["write_file", "idempotent"],
    ]);
  });

  it("run by name, with validation", async () => {
    const { tools } = setUp();
    const call = async (name: string, args: JsonObject) => tools.call(name, args, toolScope());
    expect(await call("calculator", { expression: "6*7" })).toEqual({ ok: true, data: { result: 42 } });
    expect(await call("calculator", { expresion: "6*7" })).toEqual({
      ok: false,
      code: "tool_invalid_arguments",
      message: '"expression" is missing; "expresion" is not known',
    });
    expect(await call("rm", {})).toMatchObject({ ok: false, code: "tool_not_found" });
  });

  it("end when their time is over", async () => {
    const { clock, tools } = setUp();
    const call = tools.call("http_request", { url: "http://x.test" }, toolScope());
    clock.advance(30_000);
    expect(await call).toEqual({
      ok: false,
      code: "tool_timeout",
      message: "http_request took longer than 30000 ms",
    });
  });
});

describe("datetime_now", () => {
  it("tells the time in UTC and elsewhere", async () => {
    const { tools } = setUp();
    const at = async (args: JsonObject) => tools.call("datetime_now", args, toolScope());
    expect(await at({})).toMatchObject({
      data: { iso: "2026-11-20T09:30:00+00:00", weekday: "Friday", unix: 1795167000 },
    });
    expect(await at({ timezone: "Asia/Kolkata" })).toMatchObject({
      data: { iso: "2026-11-20T15:00:00+05:30", date: "2026-11-20", time: "15:00:00", utc_offset: "+05:30" },
    });
    expect(await at({ timezone: "Mars/Base" })).toMatchObject({ ok: false, code: "tool_invalid_arguments" });
    const berlin = only(tools, toolEntry("datetime_now", { config: { timezone: "Europe/Berlin" } }));
    expect(await berlin.execute({}, toolScope())).toMatchObject({ data: { utc_offset: "+01:00" } });
  });
});

describe("cache_store", () => {
  it("keeps values apart for each agent and principal, for their time to live", async () => {
    const { clock, tools } = setUp();
    const as = (agent: string, principalId: string) => async (args: JsonObject) =>
      tools.call("cache_store", args, toolScope({ agent, principalId }));
    const ada = as("helper", "ada");
    expect(await ada({ action: "set", key: "k", value: { n: 1 }, ttl: 60 })).toEqual({
      ok: true,
      data: { stored: true },
    });
    expect(await ada({ action: "get", key: "k" })).toEqual({ ok: true, data: { found: true, value: { n: 1 } } });
    for (const other of [as("helper", "bob"), as("other", "ada"), as('helper","ada', "")]) {
      expect(await other({ action: "get", key: "k" })).toEqual({ ok: true, data: { found: false, value: null } });
    }
    clock.advance(60_000);
    expect(await ada({ action: "get", key: "k" })).toMatchObject({ data: { found: false } });
    expect(await ada({ action: "set", key: "k", value: null })).toMatchObject({ ok: true });
    expect(await ada({ action: "delete", key: "k" })).toEqual({ ok: true, data: { deleted: true } });
    expect(await ada({ action: "delete", key: "k" })).toEqual({ ok: true, data: { deleted: false } });
  });

  it("asks for a value to set, and for one that is not too large", async () => {
    const { tools } = setUp();
    const set = async (more: JsonObject) =>
      tools.call("cache_store", { action: "set", key: "k", ...more }, toolScope());
    expect(await set({})).toMatchObject({
      code: "tool_invalid_arguments",
      message: '"value" is missing',
    });
    expect(await set({ value: "x".repeat(70_000) })).toMatchObject({ code: "tool_failed" });
    const tool = only(tools, toolEntry("cache_store"));
    expect(tool.effectOf({ action: "get", key: "k" })).toBe("read");
    expect(tool.effectOf({ action: "delete", key: "k" })).toBe("idempotent");
  });
});

describe("json_transform", () => {
  it("gives JSON back as data, other text as text, and a template's fault to the model", async () => {
    const render = async (template: string): Promise<string> => {
      if (template === "bad") throw new AstromeshError("prompt_invalid", "line 1: undefined value");
      return template;
    };
    const { tools } = setUp({ render });
    const transform = async (template: string) => tools.call("json_transform", { data: 1, template }, toolScope());
    expect(await transform('{"a":[1]}')).toEqual({ ok: true, data: { result: { a: [1] } } });
    expect(await transform("words")).toEqual({ ok: true, data: { result: "words" } });
    expect(await transform("bad")).toEqual({ ok: false, code: "tool_failed", message: "line 1: undefined value" });
  });
});
