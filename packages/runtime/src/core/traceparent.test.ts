import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

const hex = (digits: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)).filter((text) => /[^0]/.test(text));

test("what is written is read back", () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
      const parent = { traceId, spanId, sampled };
      expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
    }),
  );
});

test.each([
  ["nothing", undefined],
  ["text", "hello"],
  ["an all-zero trace", "00-00000000000000000000000000000000-b7ad6b7169203331-01"],
  ["an all-zero span", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"],
  ["upper case", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
  ["version ff", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ["version 00 with more", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"],
])("%s is no traceparent", (_, header) => {
  expect(parseTraceparent(header)).toBeNull();
});

test("a newer version is read by its first four parts", () => {
  expect(parseTraceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-new")).toEqual({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled: true,
  });
});
