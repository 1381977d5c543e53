import * as fc from "fast-check";
import { expect, test } from "vitest";

import { AstromeshError } from "../core/index.ts";
import { expandSecrets, expandText, soleVariable } from "./variables.ts";

test.each([
  ["${A}", "1"],
  ["x-${A}-${B}", "x-1-"],
  ["${B:-two}", "two"],
  ["${C:-three}", "three"],
  ["${A:-no}", "1"],
  ["${C:-}", ""],
  ["${C:-http://h:1/v1}", "http://h:1/v1"],
  ["$${A}", "${A}"],
  ["${{ not.one }}", "${{ not.one }}"],
  ["$A and $ {A}", "$A and $ {A}"],
])("%s becomes %s", (text, expanded) => {
  expect(expandText(text, { A: "1", B: "" })).toMatchObject({ text: expanded, unset: [], malformed: false });
});

test("an unset variable and a broken reference are told apart", () => {
  expect(expandText("${C} ${D}", {}).unset).toEqual(["C", "D"]);
  expect(expandText("${user.name}", {})).toMatchObject({ malformed: true, unset: [] });
});

test("only a whole text is one variable", () => {
  expect(soleVariable("${A}")).toBe("A");
  expect(soleVariable("x${A}")).toBeNull();
  expect(soleVariable("${A:-b}")).toBeNull();
});

test("expandSecrets goes through a whole value, and leaves no variable out", () => {
  const config = { headers: { auth: "Bearer ${T}" }, list: ["${T}", 1, null, true], plain: "$${T}" };
  expect(expandSecrets(config, { T: "t" })).toEqual({
    headers: { auth: "Bearer t" },
    list: ["t", 1, null, true],
    plain: "${T}",
  });
  expect(() => expandSecrets(config, {})).toThrow(new AstromeshError("config_invalid", "variable T is not set"));
});

test("property: escaped text comes back as it was, and text without ${ never changes", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const rest = text.replaceAll("$", "");
      // Given as functions: in a replacement's text `$$` would mean one `$`.
      const escaped = rest.replaceAll("{", () => "$${");
      expect(expandText(escaped, {}).text).toBe(rest.replaceAll("{", () => "${"));
      const plain = text.replaceAll("${", "");
      if (!plain.includes("${")) expect(expandText(plain, {}).text).toBe(plain);
    }),
  );
});

test("property: what a variable holds is never expanded again", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(expandText("${A}", { A: value }).text).toBe(value);
    }),
  );
});
