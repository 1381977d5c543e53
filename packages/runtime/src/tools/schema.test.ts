import { describe, expect, it } from "vitest";

import type { Json, JsonObject } from "../core/index.ts";
import { compileSchema, schemaCheck } from "./schema.ts";

const schema: JsonObject = {
  type: "object",
  required: ["url"],
  additionalProperties: false,
  properties: {
    url: { type: "string", format: "uri" },
    method: { enum: ["GET", "POST"] },
    tags: { type: "array", items: { type: "object", required: ["name"], properties: { name: { type: "string" } } } },
    count: { type: "integer", minimum: 1 },
  },
};

describe("messages of a schema", () => {
  it.each<[Json, string | null]>([
    [{ url: "https://x.test/", tags: [{ name: "a" }] }, null],
    [{}, '"url" is missing'],
    [{ url: "nope" }, '"url" must match format "uri"'],
    [{ url: "a:b", methd: "GET" }, '"methd" is not known'],
    [{ url: "a:b", method: "PUT" }, '"method" must be one of "GET","POST"'],
    [{ url: "a:b", tags: [{}] }, '"tags.0.name" is missing'],
    [{ url: "a:b", count: 0 }, '"count" must be >= 1'],
    [{ count: "x" }, '"url" is missing; "count" must be integer'],
    ["text", "the whole must be object"],
  ])("%j: %s", (value, expected) => {
    expect(schemaCheck(schema)(value)).toBe(expected);
  });

  it("list at most five faults", () => {
    const many = { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 };
    expect(schemaCheck({ type: "object", additionalProperties: false })(many)).toMatch(/"e" is not known; and 2 more$/);
  });
});

describe("schemas of users", () => {
  it("may be of draft 7 or 2020-12, and may name themselves twice", () => {
    const named = { $id: "https://x.test/s", $schema: "http://json-schema.org/draft-07/schema#", type: "object" };
    for (let time = 0; time < 2; time += 1) expect(schemaCheck({ ...named })({})).toBeNull();
    const newer = { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "number" }] };
    expect(schemaCheck(newer)(["x"])).toBe('"0" must be number');
  });

  it.each<[string, JsonObject]>([
    ["an unknown type", { type: "strng" }],
    ["a reference to nowhere", { $ref: "https://x.test/other" }],
    ["a broken pattern", { type: "string", pattern: "(" }],
  ])("are reported when they hold %s", (_name, broken) => {
    expect(compileSchema(broken)).toMatchObject({ ok: false, message: expect.stringMatching(/./) });
  });
});
