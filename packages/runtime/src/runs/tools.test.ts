import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createHastyClock } from "../../test/fakes/hasty-clock.ts";
import { createMortalStore } from "../../test/fakes/mortal-store.ts";
import { calling, countingTool, createLab, openLabStore, withLab } from "../../test/fakes/run-lab.ts";
import type { Lab, LabParts } from "../../test/fakes/run-lab.ts";
import { until } from "../../test/fakes/until.ts";
import { isJsonObject, LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Json, Message, Pattern, Principal, Run } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

/** Model, its tool calls side by side, model. */
const oneTurn: Pattern = async (context) => {
  const { length } = await context.effect({ kind: "context", thread: "main" });
  const ask = { kind: "model", thread: "main", role: "r", tools: true, stream: true, returnText: false } as const;
  const { toolCalls, index } = await context.effect({ ...ask, length });
  await context.all(
    toolCalls.map((call, n) => (branch) => branch.effect({ kind: "tool", thread: "main", index: index + 1 + n, call })),
  );
  const answer = await context.effect({ ...ask, length: index + 1 + toolCalls.length });
  return { kind: "answer", stopReason: "end", thread: "main", index: answer.index };
};

function inLab<T>(parts: Partial<LabParts>, body: (lab: Lab) => Promise<T>): Promise<T> {
  return withLab({ store: store.runs, pattern: oneTurn, ...parts }, body);
}

/** What the model was shown of its calls. */
async function resultsOf({ runId }: Run): Promise<Extract<Message, { role: "tool" }>[]> {
  const messages = await store.runs.thread(runId, "main", 0, 100);
  return messages.filter((message) => message.role === "tool");
}

async function waiting(runId: string, reason: string): Promise<Run> {
  return until(`${runId} to wait for ${reason}`, async () => {
    const run = await store.runs.get(runId);
    return run?.status === "waiting" && run.waitReason === reason && run;
  });
}

describe("a tool call", () => {
  it("shows the model its results in order and tells watchers", () => {
    const tools = [countingTool("add", "read"), countingTool("say", "read", async () => ({ ok: true, data: "text" }))];
    return inLab({ tools, model: calling(["add", { a: 1 }], ["say", {}]) }, async (lab) => {
      const run = await lab.ended((await lab.submit()).runId);
      expect(run).toMatchObject({ status: "completed", response: "done" });
      expect((await resultsOf(run)).map(({ ok, text, toolCallId }) => [toolCallId, ok, text])).toEqual([
        ["call_0", true, '{"a":1}'],
        ["call_1", true, "text"],
      ]);
      const events = await lab.events(run.runId);
      expect(events.flatMap(({ event }) => (event.type === "tool_result" ? [event.preview] : []))).toEqual([
        '{"a":1}',
        "text",
      ]);
    });
  });

  const failures: [string, Partial<Parameters<typeof countingTool>[3]> | null, RegExp, Partial<LabParts>?][] = [
    ["an unknown tool", null, /^tool_not_found: There is no tool t/],
    ["bad arguments", { invalid: () => "/a must be a number" }, /^tool_invalid_arguments: \/a must be a number/],
    ["a tool that throws", { execute: () => Promise.reject(new Error("broken pipe")) }, /^tool_failed: broken pipe/],
    [
      "a tool that takes too long and does not listen",
      { execute: () => new Promise(() => {}), timeoutMs: 20 },
      /^tool_timeout: The tool did not finish within 20 ms/,
    ],
    [
      "a tool that permissions leave out",
      {},
      /^tool_denied/,
      { definition: (given) => ({ ...given, permissions: { allowedActions: ["other"] } }) },
    ],
  ];
  it.each(failures)("makes %s an observation", (_name, more, expected, parts = {}) => {
    const tools = more === null ? [] : [countingTool("t", "read", undefined, more)];
    return inLab({ tools, model: calling(["t", {}]), ...parts }, async (lab) => {
      const run = await lab.ended((await lab.submit()).runId);
      expect(run.status).toBe("completed");
      const [result] = await resultsOf(run);
      expect(result).toMatchObject({ ok: false, text: expect.stringMatching(expected) });
    });
  });

  it("shows the model a part of a large result and keeps the whole", () => {
    const whole = "é".repeat(100_000);
    const tool = countingTool("big", "read", async () => ({ ok: true, data: whole }));
    return inLab({ tools: [tool], model: calling(["big", {}]) }, async (lab) => {
      const run = await lab.ended((await lab.submit()).runId);
      const [result] = await resultsOf(run);
      expect(result?.text.endsWith("[cut: the first 65536 of 200000 bytes are shown]")).toBe(true);
      expect(Buffer.byteLength(result?.text ?? "")).toBeLessThan(66_000);
      const kept = (await lab.journal(run.runId)).find(({ kind, phase }) => kind === "tool" && phase === "done");
      expect(isJsonObject(kept?.payload) && kept.payload["whole"]).toBe(whole);
    });
  });

  it("is one effect within the tool's window, whichever run asks", () => {
    const tool = countingTool("charge", "once", async () => ({ ok: true, data: "charged" }), {
      effectKeyWindowMs: 60_000,
    });
    return inLab({ tools: [tool], model: calling(["charge", { order: 7 }]) }, async (lab) => {
      const runs = [await lab.ended((await lab.submit()).runId), await lab.ended((await lab.submit()).runId)];
      expect(tool.executions.size).toBe(1);
      for (const run of runs) expect((await resultsOf(run))[0]?.text).toBe("charged");
    });
  });

  it("is stopped when its run is cancelled, and its outcome is said to be open", () => {
    let aborted = false;
    const tool = countingTool("slow", "once", (_args, { signal }) => {
      signal.addEventListener("abort", () => (aborted = true));
      return new Promise(() => {});
    });
    return inLab({ tools: [tool], model: calling(["slow", {}]) }, async (lab) => {
      const { runId } = await lab.submit();
      await until("the tool to work", () => tool.executions.size === 1);
      await lab.engine.cancel(runId, LOCAL_PRINCIPAL);
      expect((await lab.ended(runId)).status).toBe("cancelled");
      expect(aborted).toBe(true);
      expect((await lab.journal(runId)).at(-1)).toMatchObject({ kind: "tool", phase: "ambiguous" });
    });
  });
});

const ANNA: Principal = { id: "anna", scopes: ["run", "read", "approve"] };
const BERT: Principal = { id: "bert", scopes: ["run", "read", "approve"] };
const CARL: Principal = { id: "carl", scopes: ["run", "read"] };

/** A model that never answers. */
async function* silent(): AsyncGenerator<never> {
  await new Promise(() => {});
}

describe("an approval", () => {
  const asking = (): LabParts => ({
    store: store.runs,
    pattern: oneTurn,
    tools: [countingTool("send", "once", async () => ({ ok: true, data: "sent" }), { approval: "ask" })],
    model: calling(["send", { to: "x" }]),
  });
  const approve = (approved: boolean, reason = ""): { name: string; payload: Json; signalId: null } => ({
    name: "approve",
    payload: { approved, reason, by: "somebody else" },
    signalId: null,
  });

  it("parks the run at no memory, outlives the node, and is bound to who gives it", async () => {
    const run = await withLab(asking(), async (lab) => {
      const { runId } = await lab.submit({ principal: ANNA });
      await waiting(runId, "approval");
      await until("the slot to be free", () => lab.engine.status().active === 0);
      await expect(lab.engine.signal(runId, ANNA, approve(true))).rejects.toMatchObject({ code: "forbidden" });
      await expect(lab.engine.signal(runId, CARL, approve(true))).rejects.toMatchObject({ code: "run_not_found" });
      return lab.engine.get(runId, BERT);
    });
    expect(run.waitDeadlineAt ?? run.wakeAt).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    await withLab(asking(), async (lab) => {
      await lab.engine.signal(run.runId, BERT, approve(true));
      const ended = await lab.ended(run.runId);
      expect(ended).toMatchObject({ status: "completed", response: "done" });
      expect((await resultsOf(ended))[0]?.text).toBe("sent");
      const given = (await lab.journal(run.runId)).find(({ kind, phase }) => kind === "signal" && phase === "done");
      expect(given?.payload).toMatchObject({ sender: "bert", payload: { approved: true, by: "bert" } });
      const types = (await lab.events(run.runId)).map(({ event }) => event.type);
      expect(types.filter((type) => type === "tool_call")).toHaveLength(1);
      expect(types).toContain("waiting");
    });
  });

  it("is a denial with its reason when somebody says no", () =>
    withLab(asking(), async (lab) => {
      const { runId } = await lab.submit();
      await waiting(runId, "approval");
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, approve(false, "too dear"));
      const run = await lab.ended(runId);
      expect((await resultsOf(run))[0]).toMatchObject({
        ok: false,
        text: "tool_denied: The call was denied by local: too dear",
      });
    }));

  it("is a denial also for the attempt that goes on after a crash", async () => {
    let dies = true;
    const asked: LabParts = {
      ...asking(),
      model: (call, signal) => {
        const answered = call.messages.some(({ role }) => role === "tool");
        return answered && dies ? silent() : calling(["send", { to: "x" }])(call, signal);
      },
    };
    const mortal = createMortalStore(store.runs, null);
    const first = createLab({ ...asked, store: mortal.store });
    first.engine.start();
    const { runId } = await first.submit();
    await waiting(runId, "approval");
    await first.engine.signal(runId, LOCAL_PRINCIPAL, approve(false));
    await until("the denial and the next call to be on disk", async () => {
      const journal = await store.runs.journal(runId);
      return journal.filter(({ kind, phase }) => kind === "model" && phase === "intent").length === 2;
    });
    mortal.kill();
    dies = false;
    await withLab(asked, async (lab) => {
      const run = await lab.ended(runId);
      expect(run).toMatchObject({ status: "completed", response: "done", error: null });
      expect((await resultsOf(run))[0]?.text).toMatch(/^tool_denied/);
    });
  });

  it("is waited for also by a node that waits for shorter or longer by now", async () => {
    const runId = await withLab({ ...asking(), options: { waitLimitMs: 3_600_000 } }, async (lab) => {
      const submitted = await lab.submit();
      await waiting(submitted.runId, "approval");
      return submitted.runId;
    });
    await withLab({ ...asking(), options: { waitLimitMs: 7_200_000 } }, async (lab) => {
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, approve(true));
      expect(await lab.ended(runId)).toMatchObject({ status: "completed", error: null });
    });
  });

  it("is a timeout, not a denial, when nobody answers", () =>
    withLab({ ...asking(), options: { waitLimitMs: 30, pollMs: 10 } }, async (lab) => {
      const run = await lab.ended((await lab.submit()).runId);
      expect((await resultsOf(run))[0]?.text).toMatch(/^tool_timeout: Nobody approved the call within 30 ms/);
    }));

  it("is not taken where nothing was asked, or with a body that says nothing", () =>
    withLab(asking(), async (lab) => {
      const { runId } = await lab.submit();
      await waiting(runId, "approval");
      const send = (name: string, payload: Json): Promise<Run> =>
        lab.engine.signal(runId, LOCAL_PRINCIPAL, { name, payload, signalId: null });
      await expect(send("approve:9", { approved: true })).rejects.toMatchObject({ code: "invalid_request" });
      await expect(send("resolve", { outcome: "done" })).rejects.toMatchObject({ code: "invalid_request" });
      await expect(send("approve", { approve: "yes" })).rejects.toMatchObject({ code: "invalid_request" });
      await expect(send("child:0", null)).rejects.toMatchObject({ code: "invalid_request" });
      await lab.engine.cancel(runId, LOCAL_PRINCIPAL);
      expect((await lab.ended(runId)).status).toBe("cancelled");
    }));
});

describe("calls side by side, after a crash in one of them", () => {
  it("are told to watchers once each: what was refused, what was denied, and what waits", async () => {
    let dies = true;
    const slow = countingTool("slow", "idempotent", () =>
      dies ? new Promise(() => {}) : Promise.resolve({ ok: true, data: "slow" }),
    );
    const asks = (name: string) => countingTool(name, "once", undefined, { approval: "ask" });
    const parts: LabParts = {
      store: store.runs,
      pattern: oneTurn,
      tools: [slow, asks("denied"), asks("asked")],
      model: calling(["slow", {}], ["unknown", {}], ["denied", {}], ["asked", {}]),
    };
    const mortal = createMortalStore(store.runs, null);
    const first = createLab({ ...parts, store: mortal.store });
    first.engine.start();
    const { runId } = await first.submit();
    const answer = { name: "approve:2.2.0", payload: { approved: false }, signalId: null };
    await until("the denial to be taken", () => first.engine.signal(runId, LOCAL_PRINCIPAL, answer).catch(() => null));
    await until("the denial to be on disk", async () => {
      const journal = await store.runs.journal(runId);
      return journal.some(({ kind, phase, position }) => kind === "tool" && phase === "done" && position === "2.2.0");
    });
    mortal.kill();
    dies = false;
    await withLab(parts, async (lab) => {
      await waiting(runId, "approval");
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, { ...answer, name: "approve", payload: { approved: true } });
      expect(await lab.ended(runId)).toMatchObject({ status: "completed", error: null });
      let told: { readonly offset: number; readonly what: string }[] = [];
      for (const { offset, event } of await lab.events(runId)) {
        if (event.type === "retract") told = told.filter((each) => each.offset <= event.to);
        if (event.type === "tool_call" || event.type === "tool_result") {
          told.push({ offset, what: `${event.type} ${event.name}` });
        }
      }
      const names = ["asked", "denied", "slow", "unknown"];
      const whats = ["tool_call", "tool_result"].flatMap((type) => names.map((name) => `${type} ${name}`));
      expect(told.map(({ what }) => what).toSorted()).toEqual(whats);
    });
  });
});

describe("a `once` effect whose outcome a crash hid", () => {
  /** Runs until the tool works, and dies there. */
  async function diesInTool(parts: LabParts): Promise<string> {
    const mortal = createMortalStore(store.runs, null);
    const lab = createLab({ ...parts, store: mortal.store });
    lab.engine.start();
    const { runId } = await lab.submit();
    await until("the tool to work", () => parts.tools?.some((tool) => "executions" in tool && began.has(runId)));
    mortal.kill();
    return runId;
  }
  const began = new Set<string>();
  const charge = (more: Parameters<typeof countingTool>[3] = {}) =>
    countingTool(
      "charge",
      "once",
      (_args, { runId }) => {
        if (began.has(runId)) return Promise.resolve({ ok: true, data: "charged again" });
        began.add(runId);
        return new Promise(() => {});
      },
      more,
    );
  const parts = (tool: ReturnType<typeof charge>): LabParts => ({
    store: store.runs,
    pattern: oneTurn,
    tools: [tool],
    model: calling(["charge", {}]),
  });

  it.each([
    [{ outcome: "done", result: "charged" }, true, "charged", 1],
    [{ outcome: "failed" }, false, "tool_failed: charge did not take effect", 1],
    [{ outcome: "retry" }, true, "charged again", 2],
  ])("waits for a person, who says %j", async (payload, ok, text, executions) => {
    const tool = charge();
    const runId = await diesInTool(parts(tool));
    await withLab(parts(tool), async (lab) => {
      await waiting(runId, "ambiguous");
      expect([...tool.executions.values()]).toEqual([1]);
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, { name: "resolve", payload, signalId: null });
      const run = await lab.ended(runId);
      expect(run.status).toBe("completed");
      expect((await resultsOf(run))[0]).toMatchObject({ ok, text: expect.stringContaining(text) });
      expect([...tool.executions.values()]).toEqual([executions]);
    });
  });

  it("takes an answer for the question that it was given to, and for no later one", async () => {
    const tool = charge();
    tool.execute = (_args, { runId, idempotencyKey }) => {
      tool.executions.set(idempotencyKey, (tool.executions.get(idempotencyKey) ?? 0) + 1);
      began.add(runId);
      return new Promise(() => {});
    };
    const runId = await diesInTool(parts(tool));
    const mortal = createMortalStore(store.runs, null);
    const second = createLab({ ...parts(tool), store: mortal.store });
    second.engine.start();
    await waiting(runId, "ambiguous");
    const retry = { name: "resolve", payload: { outcome: "retry" }, signalId: null };
    await second.engine.signal(runId, LOCAL_PRINCIPAL, retry);
    await until("the second try", () => [...tool.executions.values()][0] === 2);
    // The same answer once more, such as from a proxy that repeats a request, reaches the store when it is too late.
    const name = "resolve:2.0.0/resolve1";
    const late = { signalId: "late", runId, name, payload: { outcome: "retry" }, sender: "local", at: Date.now() };
    await store.runs.signal(late);
    mortal.kill();
    await withLab(parts(tool), async (lab) => {
      await waiting(runId, "ambiguous");
      expect([...tool.executions.values()]).toEqual([2]);
      await expect(lab.engine.signal(runId, LOCAL_PRINCIPAL, { ...retry, name })).rejects.toMatchObject({
        code: "invalid_request",
      });
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, { ...retry, payload: { outcome: "failed" } });
      expect(await lab.ended(runId)).toMatchObject({ status: "completed" });
    });
  });

  it("is asked of the tool first, once its time is over", async () => {
    const clock = createHastyClock(100);
    let askedAfterMs = 0;
    const startedAt = clock.now();
    const tool = charge({
      timeoutMs: 5_000,
      reconcile: async () => {
        askedAfterMs = clock.now() - startedAt;
        return { ok: true, data: "found" };
      },
    });
    const hasty = { ...parts(tool), clock, options: { leaseMs: 3_600_000, leaseRenewMs: 1_000_000 } };
    const runId = await diesInTool(hasty);
    await withLab(hasty, async (lab) => {
      const run = await lab.ended(runId);
      expect((await resultsOf(run))[0]?.text).toBe("found");
      expect(askedAfterMs).toBeGreaterThanOrEqual(5_000);
      expect([...tool.executions.values()]).toEqual([1]);
    });
  });
});
