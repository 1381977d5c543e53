import { expect, test } from "vitest";

import { formatFaults } from "./fault.ts";
import { nodeAt, positionOf, toJson } from "./located.ts";
import { readYaml } from "./yaml-source.ts";

function read(text: string) {
  const { source, faults } = readYaml(text, "f.yaml");
  return { source, errors: formatFaults(faults) };
}

test("values know their line and column", () => {
  const { source } = read("a:\n  - b: 1\n  - c: two\n");
  expect(source && toJson(source.root)).toEqual({ a: [{ b: 1 }, { c: "two" }] });
  expect(source && positionOf(source.root, ["a", 1, "c"])).toEqual({ line: 3, col: 8 });
});

test("an alias stands where it is used, its inside where it is written", () => {
  const { source } = read("base: &base\n  x: 1\nuse: *base\n");
  expect(source && positionOf(source.root, ["use"])).toEqual({ line: 3, col: 6 });
  expect(source && positionOf(source.root, ["use", "x"])).toEqual({ line: 2, col: 6 });
});

test("merge keys give the place of the merged text, and own keys win", () => {
  const { source } = read("a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc:\n  <<: [*a, *b]\n  x: 9\n");
  const merged = source && nodeAt(source.root, ["c"]);
  expect(merged && toJson(merged)).toEqual({ x: 9, y: 1, z: 2 });
  expect(source && positionOf(source.root, ["c", "z"])).toEqual({ line: 2, col: 18 });
});

test.each([
  ["a: [1, 2\nb: 3\n", "f.yaml:2:1 YAML: wrong indentation (or a bracket above is not closed)"],
  ["a:\n\t- x\n", "f.yaml:2:1 YAML: a tab in the indentation; use spaces"],
  ["a: 1\na: 2\n", "f.yaml:2:1 YAML: the key stands twice in this mapping"],
  ["a: *nobody\n", "f.yaml:1:4 an alias without its anchor above it"],
  ["a: 1\n---\nb: 2\n", "f.yaml:2:1 YAML: more than one document (---) in the file; split it"],
  ["a: !secret x\n", "f.yaml:1:4 YAML: a tag that is not understood"],
  ["? [a, b]\n: 1\n", "f.yaml:1:3 a key must be plain text"],
  ["a: .inf\n", "f.yaml:1:4 a number must be finite"],
  ["a: &a [*a]\n", "f.yaml:1:8 an alias that contains itself"],
  ["a:\n  <<: 3\n", "f.yaml:2:3 a merge key (<<) takes a mapping or a list of mappings"],
  ["# nothing\n", "f.yaml:1:1 the file is empty"],
])("refuses %j", (text, error) => {
  const { source, errors } = read(text);
  expect(source).toBeNull();
  expect(
    errors.some((found) => found.startsWith(error)),
    errors.join("\n"),
  ).toBe(true);
});

test("a small file of aliases cannot grow into a large value", () => {
  const levels = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"];
  for (let level = 1; level < 9; level += 1) {
    const alias = `*${String.fromCodePoint(96 + level)}`;
    const name = String.fromCodePoint(97 + level);
    levels.push(`${name}: &${name} [${Array.from({ length: 10 }, () => alias).join(", ")}]`);
  }
  expect(read(levels.join("\n")).errors[0]).toContain("more than 50000 values");
});

test("deep nesting is refused, not followed", () => {
  expect(read("[".repeat(20_000)).errors.length).toBeGreaterThan(0);
  expect(read(`${"[".repeat(100)}${"]".repeat(100)}`).errors[0]).toContain("nested deeper than 64 levels");
});

test("messages do not repeat the text at fault", () => {
  const { errors } = read('key: "sk-secret" sk-secret\nother: @sk-secret\n');
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.join()).not.toContain("sk-secret");
});
