import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ERROR_CODES } from "../core/index.ts";
import type { ErrorCode, RunEvent } from "../core/index.ts";
import { formatEventId, parseEventId, runEventBody, runEventFromWire, runEventToWire, runStatus } from "./index.ts";
import { stopReason, waitReason } from "./index.ts";

const text = fc.string({ unit: "binary" });
const count = fc.nat();
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

const events: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record({ type: fc.constant("run.started" as const), attempt: count, agent: text }),
  fc.record({ type: fc.constant("token" as const), text, thread: text }),
  fc.record({ type: fc.constant("tool_call" as const), id: text, name: text, arguments: fc.dictionary(text, text) }),
  fc.record({ type: fc.constant("tool_result" as const), id: text, name: text, ok: fc.boolean(), preview: text }),
  fc.record({
    type: fc.constant("waiting" as const),
    reason: fc.constantFrom(...waitReason.options),
    until: fc.option(time),
  }),
  fc.record({ type: fc.constant("retract" as const), to: count, reason: text }),
  fc.record({
    type: fc.constant("done" as const),
    status: fc.constantFrom(...runStatus.options),
    stopReason: fc.constantFrom(...stopReason.options),
    response: text,
    usage: fc.record({ inputTokens: count, outputTokens: count, costUsd: fc.option(count) }),
  }),
  fc.record({
    type: fc.constant("error" as const),
    error: fc.record(
      {
        code: fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
        message: text,
        retryable: fc.boolean(),
        details: fc.dictionary(text, text),
      },
      { requiredKeys: ["code", "message", "retryable"] },
    ),
  }),
);

describe("run events", () => {
  it("come back from the wire as they went, through JSON and the schema", () => {
    fc.assert(
      fc.property(events, (event) => {
        const body = runEventBody.parse(JSON.parse(JSON.stringify(runEventToWire(event))));
        expect(runEventFromWire(body)).toEqual(withoutPrototypes(event));
      }),
    );
  });

  it("speak snake_case", () => {
    const usage = { inputTokens: 1, outputTokens: 2, costUsd: null };
    expect(
      runEventToWire({ type: "done", status: "completed", stopReason: "max_iterations", response: "so far", usage }),
    ).toEqual({
      type: "done",
      status: "completed",
      stop_reason: "max_iterations",
      response: "so far",
      usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    });
  });
});

describe("event ids", () => {
  it("come back as they went", () => {
    const runId = fc.stringMatching(/^run_[0-9a-z]{1,26}$/);
    fc.assert(
      fc.property(runId, fc.nat({ max: 999 }), fc.nat(), (runId, attempt, offset) => {
        expect(parseEventId(formatEventId({ runId, attempt, offset }))).toEqual({ runId, attempt, offset });
      }),
    );
  });

  it("are null for anything else", () => {
    for (const text of ["", "run", "run:1", ":1:2", "run:1:-2", "run:1:2x", "run:1:1e3", `run:1:${"9".repeat(16)}`]) {
      expect([text, parseEventId(text)]).toEqual([text, null]);
    }
  });
});

/** fast-check makes dictionaries without a prototype, which JSON does not keep; and zod drops a member `__proto__`. */
function withoutPrototypes(event: RunEvent): RunEvent {
  const copy = JSON.parse(JSON.stringify(event), (key, value: unknown) => (key === "__proto__" ? undefined : value));
  return copy as RunEvent;
}
