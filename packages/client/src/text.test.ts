import { expect, it } from "vitest";

import type { RunEvent, RunStreamEvent } from "./index.ts";
import { collectText, createTextFold } from "./text.ts";

let offset = 0;
const at = (event: RunEvent): RunStreamEvent => {
  offset += 1;
  return { id: `run_1:1:${offset}`, runId: "run_1", attempt: 1, offset, event };
};
const token = (text: string, thread = "main"): RunStreamEvent => at({ type: "token", text, thread });

it("takes back what a retraction voids, however often", () => {
  offset = 0;
  const fold = createTextFold();
  for (const text of ["a", "b", "c"]) fold.apply(token(text));
  expect(fold.text).toBe("abc");
  offset = 1;
  expect(fold.apply(at({ type: "retract", to: 1, reason: "the owner died" }))).toBe("a");
  fold.apply(token("B"));
  expect(fold.apply(at({ type: "retract", to: 0, reason: "again" }))).toBe("");
  expect(fold.apply(token("x"))).toBe("x");
});

it("keeps to one thread if asked to", () => {
  const fold = createTextFold({ thread: "main" });
  fold.apply(token("a"));
  fold.apply(token("plan", "planner"));
  expect(fold.apply(token("b"))).toBe("ab");
});

it("collects a run to its end", async () => {
  async function* events(): AsyncGenerator<RunStreamEvent> {
    yield token("Hel");
    yield token("lo");
    yield at({ type: "error", code: "model_timeout", detail: "silent", retryable: true });
  }
  expect(await collectText(events())).toMatchObject({ text: "Hello", end: { type: "error", code: "model_timeout" } });
});
