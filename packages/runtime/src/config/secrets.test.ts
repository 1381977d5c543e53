import { expect, test } from "vitest";

import { createSecretResolver, hideSecrets, readSecret } from "./secrets.ts";

test("a key is a variable by either spelling, else a literal that stays here", () => {
  expect(readSecret("${K}", undefined, "agent:a", ["api_key"]).ref).toEqual({ from: "env", name: "K" });
  expect(readSecret(undefined, "K", "agent:a", ["api_key"]).ref).toEqual({ from: "env", name: "K" });
  expect(readSecret(undefined, undefined, "agent:a", ["api_key"])).toEqual({ ref: null, literals: [] });
  const literal = readSecret("sk-1", undefined, "agent:a", ["spec", "api_key"]);
  expect(literal.ref).toEqual({ from: "file", owner: "agent:a", path: ["spec", "api_key"] });
  expect(JSON.stringify(literal.ref)).not.toContain("sk-1");
});

test("the resolver reads the environment, literals, and literals that name variables", () => {
  const literals = [
    { owner: "agent:a", path: ["x", 0, "api_key"], text: "sk-1" },
    { owner: "agent:b", path: ["x"], text: "sk-${PART}" },
  ];
  const resolve = createSecretResolver({ K: "from-env", EMPTY: "", PART: "2" }, literals);
  expect(resolve({ from: "env", name: "K" })).toBe("from-env");
  expect(resolve({ from: "env", name: "EMPTY" })).toBeNull();
  expect(resolve({ from: "file", owner: "agent:a", path: ["x", 0, "api_key"] })).toBe("sk-1");
  expect(resolve({ from: "file", owner: "agent:b", path: ["x"] })).toBe("sk-2");
  expect(resolve({ from: "file", owner: "agent:a", path: ["x"] })).toBeNull();
});

test("hideSecrets hides keys, headers and passwords in addresses, and nothing else", () => {
  const shown = hideSecrets({
    api_key: "sk-1",
    apiKey: { from: "env", name: "K" },
    auth: { keys: [{ name: "ops", key: "12345678", scopes: ["admin"] }] },
    headers: { Accept: "x" },
    secrets: ["a", "b"],
    token: "${TOKEN}",
    url: "postgres://user:pa:ss@host/db",
    max_tokens: 100,
    model: "gpt",
    password: null,
  });
  expect(shown).toEqual({
    api_key: "***",
    apiKey: { from: "env", name: "K" },
    auth: { keys: [{ name: "ops", key: "***", scopes: ["admin"] }] },
    headers: { Accept: "***" },
    secrets: ["***", "***"],
    token: "${TOKEN}",
    url: "postgres://user:***@host/db",
    max_tokens: 100,
    model: "gpt",
    password: null,
  });
});
