import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Json } from "../core/index.ts";
import { parseScript } from "./parse-script.ts";
import { playScript, situationOf, toTokens } from "./script.ts";

function player(data: Json) {
  const parsed = parseScript(data);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return playScript(parsed.script);
}

const user = (text: string) => ({ role: "user", text }) as const;
const tool = (toolName: string, text: string) => ({ role: "tool", toolCallId: "1", toolName, ok: true, text }) as const;

describe("rules", () => {
  test.each([
    [{ user: "WEATHER" }, true],
    ["weather", true],
    [{ user: "rain" }, false],
    [{ user_regex: "par(is|ma)$" }, true],
    [{ user_regex: "^paris" }, false],
    [{ tool: "get_weather" }, true],
    [{ tool: "none" }, false],
    [{ tool_results: 2 }, true],
    [{ tool_results: 1 }, false],
    [{ model: "tiny" }, true],
    [{ model: "huge" }, false],
    [{ call: 1 }, true],
    [{ call: 2 }, false],
    [{ user: "weather", model: "huge" }, false],
  ])("%j: %s", (match, expected) => {
    const messages = [user("Weather in Paris"), tool("a", "x"), tool("get_weather", "rain")];
    expect(player([{ match }]).next(situationOf("tiny", messages)) !== null).toBe(expected);
  });

  test("the first that matches answers, as often as it may", () => {
    const play = player([{ times: 2, reply: "a" }, { match: { call: 4 }, reply: "c" }, { reply: "b" }]);
    const replies = Array.from({ length: 5 }, () => play.next(situationOf("m", [user("x")]))?.reply);
    expect(replies).toEqual(["a", "a", "b", "c", "b"]);
  });
});

test("tokens lose nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(toTokens(text).join("")).toBe(text);
    }),
  );
});

test("faults of a script are found all at once, each with its place", () => {
  const parsed = parseScript({
    rules: [
      { replay: "x", delay_ms: -1, match: { user_regex: "(" } },
      { tool_calls: [{ arguments: 5 }], fault: {} },
      "text",
    ],
    more: 1,
  });
  expect(parsed.ok ? [] : parsed.errors.map(({ path }) => path.join("."))).toEqual([
    "more",
    "rules.0.replay",
    "rules.0.match.user_regex",
    "rules.0.delay_ms",
    "rules.1.tool_calls.0.name",
    "rules.1.tool_calls.0.arguments",
    "rules.1.fault",
    "rules.2",
  ]);
  expect(parseScript([])).toMatchObject({ ok: false });
});
