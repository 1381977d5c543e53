import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { askOnce, createLab, openLabStore, saying, textOf } from "../../test/fakes/run-lab.ts";
import type { LabParts } from "../../test/fakes/run-lab.ts";
import type { Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

async function withLab<T>(
  parts: Partial<LabParts>,
  body: (lab: ReturnType<typeof createLab>) => Promise<T>,
): Promise<T> {
  const lab = createLab({ store: store.runs, pattern: askOnce, ...parts });
  lab.engine.start();
  try {
    return await body(lab);
  } finally {
    await lab.engine.stop({ graceMs: 0 });
  }
}

describe("a run", () => {
  it("asks the model and ends with its answer, sums and events", () =>
    withLab({ model: saying("Good ", "day") }, async (lab) => {
      const run = await lab.submit();
      const ended = await lab.ended(run.runId);
      expect(ended).toMatchObject({
        status: "completed",
        stopReason: "end",
        response: "Good day",
        usage: { inputTokens: 10, outputTokens: 2, costUsd: 0.01 },
        model: "fake-1",
        provider: "fake",
        attempt: 1,
        ownerNodeId: null,
      });
      const events = await lab.events(run.runId);
      expect(textOf(events)).toBe("Good day");
      expect(events.map(({ event }) => event.type)).toEqual(["run.started", "token", "token", "done"]);
      expect((await lab.journal(run.runId)).map((r) => `${r.position} ${r.kind} ${r.phase}`)).toEqual([
        "0 context done",
        "1 model intent",
        "1 model done",
      ]);
    }));
});
