import { describe, expect, it } from "vitest";

import type { JournalRecord } from "../../../src/core/ports/index.ts";
import { manualClock, startRestServer } from "../../fakes/index.ts";

const ME = { id: "local", scopes: ["admin"] } as const;

const json = async (response: Response): Promise<unknown> => response.json();

describe("runs", () => {
  it("are submitted, read and listed by pages", async () => {
    const clock = manualClock();
    const { node, call } = await startRestServer({ clock });
    const ids: string[] = [];
    for (let run = 0; run < 5; run += 1) {
      const response = await call("POST", "/v1/runs", { agent: "helper", query: `question ${run}` });
      expect(response.status).toBe(202);
      const body = (await json(response)) as { run_id: string };
      expect(response.headers.get("location")).toBe(`/v1/runs/${body.run_id}`);
      expect(response.headers.get("x-astromesh-run-id")).toBe(body.run_id);
      ids.unshift(body.run_id);
      clock.advance(1);
    }
    const pages: string[][] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const response: Response = await call("GET", `/v1/runs?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      const page = (await response.json()) as { runs: { run_id: string }[]; next_cursor: string | null };
      pages.push(page.runs.map((run) => run.run_id));
      cursor = page.next_cursor;
    }
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    const first = ids[0] as string;
    node.runs.complete(first, "done");
    expect(await json(await call("GET", "/v1/runs?status=completed"))).toMatchObject({ runs: [{ run_id: first }] });
    const run = (await json(await call("GET", `/v1/runs/${first}`))) as Record<string, unknown>;
    expect(run).toMatchObject({
      run_id: first,
      agent: "helper",
      status: "completed",
      stop_reason: "end",
      response: "done",
      usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0, cost_usd: 0 },
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      ended_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(run).not.toHaveProperty("error");
    const going = await json(await call("GET", `/v1/runs/${ids[1]}`));
    expect(going).toMatchObject({ status: "running", stop_reason: null, response: null });
    expect(going).not.toHaveProperty("ended_at");
  });

  it("show why they failed", async () => {
    const { node, call } = await startRestServer();
    node.runs.script((runId) => node.runs.fail(runId, { code: "model_auth", message: "no key", retryable: false }));
    const { run_id } = (await json(await call("POST", "/v1/runs", { agent: "helper", query: "Hi" }))) as {
      run_id: string;
    };
    expect(await json(await call("GET", `/v1/runs/${run_id}`))).toMatchObject({
      status: "failed",
      error: { code: "model_auth", detail: "no key", retryable: false },
    });
  });

  it("are not found when there is none, whatever the id looks like", async () => {
    const { call } = await startRestServer();
    for (const id of ["run_x", "%00", "a%20b", "x".repeat(500)]) {
      for (const path of ["", "/journal", "/events"]) {
        const response = await call("GET", `/v1/runs/${id}${path}`);
        expect(response.status).toBe(404);
        expect(await json(response)).toMatchObject({ code: "run_not_found" });
      }
      expect((await call("POST", `/v1/runs/${id}/cancel`)).status).toBe(404);
    }
  });

  it("take no other principal's run for one's own", async () => {
    const keys = [
      { id: "ann", key: "a", scopes: ["run", "read"] },
      { id: "bob", key: "b", scopes: ["run", "read"] },
      { id: "root", key: "r", scopes: ["admin"] },
    ] as const;
    const { call } = await startRestServer({ keys });
    const asked = await call("POST", "/v1/runs", { agent: "helper", query: "Hi" }, { "x-api-key": "a" });
    const { run_id } = (await json(asked)) as { run_id: string };
    expect((await call("GET", `/v1/runs/${run_id}`, undefined, { "x-api-key": "a" })).status).toBe(200);
    expect((await call("GET", `/v1/runs/${run_id}`, undefined, { "x-api-key": "b" })).status).toBe(404);
    expect((await call("GET", `/v1/runs/${run_id}`, undefined, { "x-api-key": "r" })).status).toBe(200);
  });

  const record = (seq: number, parts: Partial<JournalRecord>): JournalRecord => ({
    seq,
    segment: 0,
    position: String(seq),
    phase: "done",
    kind: "model",
    effectClass: null,
    inputDigest: null,
    payload: null,
    attempt: 1,
    at: 0,
    ...parts,
  });

  it("show their journal", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    node.runs.journalOf(run, [record(1, { kind: "tool", phase: "intent", effectClass: "once", payload: { a: [1] } })]);
    expect(await json(await call("GET", `/v1/runs/${run}/journal`))).toEqual({
      run_id: run,
      records: [
        {
          seq: 1,
          segment: 0,
          position: "1",
          phase: "intent",
          kind: "tool",
          effect_class: "once",
          payload: { a: [1] },
          attempt: 1,
          at: "1970-01-01T00:00:00.000Z",
        },
      ],
    });
  });

  it("are cancelled and signalled", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    const signalled = await call("POST", `/v1/runs/${run}/signal`, { name: "go", payload: [1], signal_id: "s1" });
    expect(signalled.status).toBe(202);
    expect(node.runs.signals).toEqual([{ runId: run, principalId: "local", name: "go", payload: [1], signalId: "s1" }]);
    const cancelled = await call("POST", `/v1/runs/${run}/cancel`);
    expect(cancelled.status).toBe(202);
    expect(await json(cancelled)).toMatchObject({ run_id: run, status: "cancelled" });
    expect((await call("POST", `/v1/runs/${run}/signal`, { name: "go" })).status).toBe(409);
  });

  it("keep names with a colon for answers", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    expect((await call("POST", `/v1/runs/${run}/signal`, { name: "approve:3" })).status).toBe(422);
  });

  it("take a person's answers about a place, or about the only call that waits", async () => {
    const { node, call } = await startRestServer();
    const { run } = await submitted(node);
    expect((await call("POST", `/v1/runs/${run}/approve`)).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/reject`, { reason: "too dear" })).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/approve`, { position: "4.0.1" })).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/approve`, { position: "7/approval" })).status).toBe(202);
    expect((await call("POST", `/v1/runs/${run}/resolve`, { outcome: "done", result: 5 })).status).toBe(202);
    expect(node.runs.signals.map(({ name, payload }) => [name, payload])).toEqual([
      ["approve", { approved: true, reason: null }],
      ["approve", { approved: false, reason: "too dear" }],
      ["approve:4.0.1", { approved: true, reason: null }],
      ["approve:7/approval", { approved: true, reason: null }],
      ["resolve", { outcome: "done", result: 5, reason: null }],
    ]);
    expect((await call("POST", `/v1/runs/${run}/approve`, { position: "x" })).status).toBe(422);
    expect((await call("POST", `/v1/runs/${run}/resolve`, { outcome: "maybe" })).status).toBe(422);
    node.runs.complete(run, "done");
    const ended = await call("POST", `/v1/runs/${run}/approve`);
    expect([ended.status, await json(ended)]).toMatchObject([409, { code: "run_ended" }]);
  });

  async function submitted(node: Awaited<ReturnType<typeof startRestServer>>["node"]): Promise<{ run: string }> {
    const { run } = await node.runs.submit({
      agent: "helper",
      input: { query: "Hi", images: [], context: {} },
      sessionId: null,
      principal: ME,
      idempotency: null,
      traceparent: null,
    });
    return { run: run.runId };
  }
});
