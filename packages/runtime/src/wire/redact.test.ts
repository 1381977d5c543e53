import { expect, it } from "vitest";

import { redact, redactText } from "./index.ts";

it("hides members named like secrets at any depth, and every header, and keeps counts and switches", () => {
  expect(
    redact({
      api_key: "k",
      headers: { Authorization: "Bearer x", "X-Own": "t" },
      accessToken: { value: "deep" },
      max_tokens: 5,
      use_token: true,
      password: null,
      url: "https://ann:pw@example.org/a?b",
    }),
  ).toEqual({
    api_key: "***",
    headers: { Authorization: "***", "X-Own": "***" },
    accessToken: "***",
    max_tokens: 5,
    use_token: true,
    password: null,
    url: "https://***@example.org/a?b",
  });
});

it("hides keys in the query of an address", () => {
  expect(redactText("https://example.org/v1?api-version=1&api-key=abc#top")).toBe(
    "https://example.org/v1?api-version=1&api-key=***#top",
  );
});

it("leaves text without a password as it is", () => {
  const text = "see https://example.org/@ann, mail ann@example.org";
  expect(redactText(text)).toBe(text);
});
