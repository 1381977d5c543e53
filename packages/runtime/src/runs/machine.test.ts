import { describe, expect, it } from "vitest";

import { ERROR_CODES, FINAL_STATUSES } from "../core/index.ts";
import type { ErrorCode, RunStatus } from "../core/index.ts";
import { stopReasonOf, transition } from "./machine.ts";
import type { RunTransition } from "./machine.ts";

const STATUSES: readonly RunStatus[] = ["queued", "running", "waiting", ...FINAL_STATUSES];
const EVENTS: readonly RunTransition[] = [
  { type: "claimed" },
  { type: "parked", signalled: false },
  { type: "parked", signalled: true },
  { type: "released" },
  { type: "woken" },
  { type: "ended", as: "completed" },
  { type: "ended", as: "failed" },
  { type: "ended", as: "cancelled" },
];

function next(status: RunStatus, event: RunTransition): RunStatus | null {
  try {
    return transition(status, event);
  } catch {
    return null;
  }
}

describe("the states of a run", () => {
  it("are left only as drawn", () => {
    const table = Object.fromEntries(STATUSES.map((status) => [status, EVENTS.map((event) => next(status, event))]));
    expect(table).toEqual({
      queued: ["running", null, null, null, null, null, null, null],
      running: ["running", "waiting", "queued", "queued", null, "completed", "failed", "cancelled"],
      waiting: ["running", null, null, null, "queued", null, null, null],
      completed: [null, null, null, null, null, null, null, null],
      failed: [null, null, null, null, null, null, null, null],
      cancelled: [null, null, null, null, null, null, null, null],
    });
  });

  it("say what is wrong", () => {
    expect(() => transition("completed", { type: "claimed" })).toThrow("A completed run cannot be claimed.");
  });
});

it("gives every error a stop reason", () => {
  const named = (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => stopReasonOf(code) !== "error");
  expect(named.toSorted()).toEqual(["budget_exceeded", "cancelled", "guardrail_blocked", "run_poison", "run_timeout"]);
});
