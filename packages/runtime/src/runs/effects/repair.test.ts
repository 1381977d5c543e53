import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../core/index.ts";
import { pairToolCalls } from "./repair.ts";

const ask = (...ids: string[]): Message => ({
  role: "assistant",
  text: "",
  toolCalls: ids.map((id) => ({ id, name: `tool_${id}`, arguments: {} })),
});
const result = (id: string): Message => ({ role: "tool", toolCallId: id, toolName: `tool_${id}`, ok: true, text: id });
const user: Message = { role: "user", text: "hello" };

/** True when every call is followed by its result before anything else, and every result has its call. */
function isPaired(messages: readonly Message[]): boolean {
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === "tool") {
      if (!open.delete(message.toolCallId)) return false;
    } else if (open.size > 0) return false;
    else open = new Set(message.role === "assistant" ? message.toolCalls?.map(({ id }) => id) : []);
  }
  return open.size === 0;
}

describe("pairToolCalls", () => {
  it("leaves whole threads as they are", () => {
    const whole = [user, ask("a", "b"), result("b"), result("a"), ask("c"), result("c"), user];
    expect(pairToolCalls(whole)).toEqual(whole);
  });

  it("closes calls without results and drops results without calls", () => {
    const mended = pairToolCalls([result("z"), ask("a", "b"), result("b"), user, result("a"), ask("c")]);
    expect(
      mended.map((message) => (message.role === "tool" ? [message.toolCallId, message.ok] : message.role)),
    ).toEqual(["assistant", ["b", true], ["a", false], "user", "assistant", ["c", false]]);
  });

  it("makes any thread fit, and changes nothing the second time", () => {
    const ids = fc.constantFrom("a", "b", "c");
    const message = fc.oneof(
      fc.constant(user),
      ids.map(result),
      fc.uniqueArray(ids, { minLength: 1 }).map((some) => ask(...some)),
    );
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const mended = pairToolCalls(messages);
        expect(isPaired(mended)).toBe(true);
        expect(pairToolCalls(mended)).toEqual(mended);
        expect(mended.filter(({ role }) => role !== "tool")).toEqual(messages.filter(({ role }) => role !== "tool"));
      }),
    );
  });
});
