import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { withUniqueIds } from "./index.ts";
import type { ToolCall } from "./index.ts";

function toolCall(id: string, name: string): ToolCall {
  return { id, name, arguments: {} };
}

describe("withUniqueIds", () => {
  it("makes ids unique, keeps good ones, and changes nothing the second time", () => {
    const ids = fc.array(fc.constantFrom("", "a", "b", "call_7_0", "call_7_1", "call_7_3"), { maxLength: 6 });
    fc.assert(
      fc.property(ids, (ids) => {
        const calls = ids.map((id, n) => toolCall(id, `tool${n}`));
        const unique = withUniqueIds(calls, 7);
        expect(new Set(unique.map((call) => call.id)).size).toBe(ids.length);
        expect(unique.map((call) => call.name)).toEqual(calls.map((call) => call.name));
        expect(withUniqueIds(unique, 7)).toEqual(unique);
        ids.forEach((id, n) => {
          if (id !== "" && ids.indexOf(id) === n) expect(unique[n]?.id).toBe(id);
        });
      }),
    );
  });
});
