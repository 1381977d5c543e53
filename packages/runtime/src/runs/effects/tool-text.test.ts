import * as fc from "fast-check";
import { expect, it } from "vitest";

import { headOf, toolText } from "./tool-text.ts";

it("cuts by bytes and never through a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, max) => {
      const head = headOf(text, max);
      expect(Buffer.byteLength(head)).toBeLessThanOrEqual(max);
      expect(text.startsWith(head)).toBe(true);
      expect(head).not.toContain("\ufffd");
      const next = text.codePointAt(head.length);
      if (next !== undefined) expect(Buffer.byteLength(head + String.fromCodePoint(next))).toBeGreaterThan(max);
    }),
  );
});

it("shows strings as they are and the rest as JSON", () => {
  expect(toolText("a", 10)).toEqual({ text: "a", sizeBytes: 1, cut: false });
  expect(toolText({ a: [1] }, 100)).toEqual({ text: '{"a":[1]}', sizeBytes: 9, cut: false });
  expect(toolText("abcdef", 3)).toMatchObject({ text: "abc\n[cut: the first 3 of 6 bytes are shown]", cut: true });
});
