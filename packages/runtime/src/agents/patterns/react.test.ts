import { describe, expect, it } from "vitest";

import { agentDefinition, createFakeLoop, toolCall } from "../../../test/fakes/index.ts";
import type { LoopScript } from "../../../test/fakes/index.ts";
import type { AgentDefinition } from "../../core/index.ts";
import { patternFor } from "./index.ts";

const react = patternFor("react");
if (react === null) throw new Error("react is not there");

function withLimit(maxIterations: number): AgentDefinition {
  const definition = agentDefinition();
  return { ...definition, orchestration: { ...definition.orchestration, maxIterations } };
}

const lookUp = { toolCalls: [toolCall("a", "look_up")], finishReason: "tool_calls" } as const;

describe("react", () => {
  it("answers, then remembers, when the model asks for no tool", async () => {
    const loop = createFakeLoop(withLimit(10), { models: [{}], contextLength: 4 });
    expect(await react(loop.context)).toEqual({ kind: "answer", stopReason: "end", thread: "main", index: 4 });
    expect(loop.calls.map((call) => call.request.kind)).toEqual(["context", "model", "remember"]);
    expect(loop.requests("remember")).toEqual([{ kind: "remember", thread: "main", answerIndex: 4 }]);
  });

  it("performs the calls of a turn side by side and puts the results behind the answer in call order", async () => {
    const calls = [toolCall("a", "slow"), toolCall("b", "quick"), toolCall("c", "quick")];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const loop = createFakeLoop(withLimit(10), {
      models: [{ toolCalls: calls }, {}],
      tool: async (call) => {
        if (call.name === "slow") await held;
        if (call.id === "c") release();
        return { ok: call.id !== "b" };
      },
    });
    expect(await react(loop.context)).toMatchObject({ stopReason: "end", index: 6 });
    expect(loop.requests("tool").map((request) => [request.call.id, request.index])).toEqual([
      ["a", 3],
      ["b", 4],
      ["c", 5],
    ]);
    expect(loop.requests("model").map((request) => request.length)).toEqual([2, 6]);
    expect(loop.calls.map((call) => call.position)).toEqual(["0", "1", "2.0.0", "2.1.0", "2.2.0", "3", "4"]);
  });

  it("gives calls that share an id, or have none, ids of their own", async () => {
    const calls = [toolCall("x", "one"), toolCall("x", "two"), toolCall("", "three")];
    const loop = createFakeLoop(withLimit(10), { models: [{ toolCalls: calls }, {}] });
    await react(loop.context);
    expect(loop.requests("tool").map((request) => request.call.id)).toEqual(["x", "call_2_1", "call_2_2"]);
  });

  it("ends as max_iterations with the last text, and leaves the last calls undone", async () => {
    const loop = createFakeLoop(withLimit(3), { models: [lookUp, lookUp, lookUp] });
    expect(await react(loop.context)).toEqual({
      kind: "answer",
      stopReason: "max_iterations",
      thread: "main",
      index: 6,
    });
    expect(loop.requests("model")).toHaveLength(3);
    expect(loop.requests("tool")).toHaveLength(2);
    expect(loop.requests("remember")).toHaveLength(0);
  });

  it("lets a failed model call fail the run", async () => {
    const loop = createFakeLoop(withLimit(3), {
      models: [
        () => {
          throw new Error("model down");
        },
      ],
    });
    await expect(react(loop.context)).rejects.toThrow("model down");
  });

  it("goes on from a checkpoint without building the context again", async () => {
    let turns = 0;
    const script: LoopScript = { models: [lookUp], checkpointDue: () => (turns += 1) === 1 };
    const first = await react(createFakeLoop(withLimit(5), script).context);
    expect(first).toEqual({ kind: "continue", state: { length: 4, turn: 1 } });
    if (first.kind !== "continue") throw new Error("no checkpoint");
    const next = createFakeLoop(withLimit(5), { models: [{}], state: first.state });
    expect(await react(next.context)).toMatchObject({ kind: "answer", stopReason: "end", index: 4 });
    expect(next.requests("context")).toHaveLength(0);
  });

  it("counts turns across checkpoints", async () => {
    const loop = createFakeLoop(withLimit(2), { models: [lookUp], state: { length: 4, turn: 1 } });
    expect(await react(loop.context)).toMatchObject({ stopReason: "max_iterations", index: 4 });
  });

  it("refuses a state that it did not write", async () => {
    await expect(react(createFakeLoop(withLimit(2), { state: { turn: 1 } }).context)).rejects.toMatchObject({
      code: "journal_mismatch",
    });
  });
});

it("knows which patterns it can run", () => {
  expect(patternFor("swarm")).toBeNull();
});
