import { expect, test } from "vitest";

import { closest, suggestion } from "./suggest.ts";

test.each([
  ["modle", "model"],
  ["promts", "prompts"],
  ["Tools", "tools"],
  ["max_iteration", "max_iterations"],
  ["xyz", null],
  ["", null],
])("%s means %s", (word, meant) => {
  expect(closest(word, ["model", "prompts", "tools", "max_iterations"])).toBe(meant);
});

test("nothing near, nothing said", () => {
  expect(suggestion("abc", ["xyz"])).toBe("");
  expect(suggestion("olama", ["ollama", "openai"])).toBe('; did you mean "ollama"?');
});
