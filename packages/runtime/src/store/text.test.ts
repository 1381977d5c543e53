import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fromColumnText, toColumnText } from "./text.ts";

const anyText = fc.string({
  unit: fc.constantFrom("a", "\0", "\ue01a", "\ud83d", "\ude42", "0", "d", "ä", "\u{1f642}"),
});

describe("texts in columns", () => {
  it("keep every text, in a form that UTF-8 and PostgreSQL can hold", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: "binary" })), (text) => {
        const kept = toColumnText(text);
        expect(kept).not.toContain("\0");
        expect(Buffer.from(kept, "utf8").toString("utf8")).toBe(kept);
        expect(fromColumnText(kept)).toBe(text);
      }),
    );
  });

  it("leave ordinary texts as they are", () => {
    for (const text of ["", "Grüße, \u{1f642}\n", JSON.stringify("\0\ud83d")]) expect(toColumnText(text)).toBe(text);
  });
});
