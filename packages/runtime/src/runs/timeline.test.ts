import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { calling, countingTool, openLabStore, withLab } from "../../test/fakes/run-lab.ts";
import { LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Pattern } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

const SECRET = "the launch code";

const turn: Pattern = async (context) => {
  const { length } = await context.effect({ kind: "context", thread: "m" });
  const ask = { kind: "model", thread: "m", length, role: "r", tools: true, stream: true, returnText: false } as const;
  const { toolCalls, index } = await context.effect(ask);
  for (const call of toolCalls) await context.effect({ kind: "tool", thread: "m", index: index + 1, call });
  await context.effect({
    kind: "model",
    thread: "m",
    length: 0,
    role: "r",
    tools: false,
    stream: false,
    returnText: false,
  });
  return { kind: "answer", stopReason: "end", thread: "m", index };
};

describe("a timeline", () => {
  it("shows the run and its calls under the client's span, and nothing that was said", () => {
    const tools = [countingTool("look", "read", async () => ({ ok: false, code: "tool_failed", message: SECRET }))];
    return withLab(
      { store: store.runs, pattern: turn, tools, model: calling(["look", { for: SECRET }]) },
      async (lab) => {
        const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
        const { runId, traceId } = await lab.submit({ traceparent, query: SECRET });
        await lab.ended(runId);
        expect(traceId).toBe("a".repeat(32));
        const { spans } = await lab.engine.timeline(traceId, LOCAL_PRINCIPAL);
        const [root, ...calls] = spans;
        expect(root).toMatchObject({ kind: "run", name: "greeter", parentSpanId: "b".repeat(16), status: "ok" });
        expect(calls.map(({ kind, name, status }) => [kind, name, status])).toEqual([
          ["context", "context", "ok"],
          ["model", "fake-1", "ok"],
          ["tool", "look", "error"],
          ["model", "fake-1", "ok"],
        ]);
        for (const call of calls) {
          expect(call.parentSpanId).toBe(root?.spanId);
          expect(call.endedAt).toBeGreaterThanOrEqual(call.startedAt);
        }
        expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
        expect(JSON.stringify(spans)).not.toContain(SECRET);
        expect(spans.filter(({ kind }) => kind === "model")[0]?.attributes).toMatchObject({
          inputTokens: 10,
          outputTokens: 2,
          provider: "fake",
        });
      },
    );
  });

  it("is not there for those who see none of its runs", () =>
    withLab({ store: store.runs, pattern: turn }, async (lab) => {
      const { runId, traceId } = await lab.submit();
      await lab.ended(runId);
      const stranger = { id: "eve", scopes: ["run", "read", "approve"] } as const;
      await expect(lab.engine.timeline(traceId, stranger)).rejects.toMatchObject({ code: "run_not_found" });
      await expect(lab.engine.get(runId, stranger)).rejects.toMatchObject({ code: "run_not_found" });
      await expect(lab.engine.journal(runId, stranger)).rejects.toMatchObject({ code: "run_not_found" });
      await expect(lab.engine.cancel(runId, stranger)).rejects.toMatchObject({ code: "run_not_found" });
      expect(await lab.engine.list({ limit: 10 }, stranger)).toEqual([]);
      expect(await lab.engine.list({ limit: 10, principalId: "local" }, stranger)).toEqual([]);
      const never = new AbortController().signal;
      const events = lab.engine.events(runId, stranger, null, never)[Symbol.asyncIterator]();
      await expect(events.next()).rejects.toMatchObject({ code: "run_not_found" });
    }));
});
