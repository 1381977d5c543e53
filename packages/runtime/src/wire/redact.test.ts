import { expect, it } from "vitest";

import { redact, redactText } from "./index.ts";

it("hides members named like secrets at any depth, and keeps counts and switches", () => {
  expect(
    redact({
      api_key: "k",
      headers: [{ Authorization: "Bearer x", "X-Trace": "t" }],
      accessToken: { value: "deep" },
      max_tokens: 5,
      use_token: true,
      password: null,
      url: "https://ann:pw@example.org/a?b",
    }),
  ).toEqual({
    api_key: "***",
    headers: [{ Authorization: "***", "X-Trace": "t" }],
    accessToken: "***",
    max_tokens: 5,
    use_token: true,
    password: null,
    url: "https://***@example.org/a?b",
  });
});

it("leaves text without a password as it is", () => {
  const text = "see https://example.org/@ann, mail ann@example.org";
  expect(redactText(text)).toBe(text);
});
