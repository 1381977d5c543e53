import { AstromeshError, isJsonObject, withUniqueIds } from "../../core/index.ts";
import type { Json, LoopContext, LoopOutcome } from "../../core/index.ts";

const THREAD = "main";

/** Where the loop stands between two turns, and what a checkpoint hands on: messages in the thread, turns done. */
interface Position {
  readonly length: number;
  readonly turn: number;
}

/**
 * Reason and act (Yao et al. 2022, https://arxiv.org/abs/2210.03629): ask the model, perform the tool calls it asks
 * for side by side, show it the results, until it answers without asking for a tool.
 *
 * A run that uses up `maxIterations` model calls ends as `max_iterations` with what the model said last. The tools
 * that this last answer asked for are not performed, because nobody would read their results.
 */
export async function react(context: LoopContext): Promise<LoopOutcome> {
  const { maxIterations } = context.input.definition.orchestration;
  let { length, turn } = await begin(context);
  for (;;) {
    const answer = await context.effect({
      kind: "model",
      thread: THREAD,
      length,
      role: "reasoner",
      tools: true,
      stream: true,
      returnText: false,
    });
    turn += 1;
    if (answer.toolCalls.length === 0) {
      await context.effect({ kind: "remember", thread: THREAD, answerIndex: answer.index });
      return { kind: "answer", stopReason: "end", thread: THREAD, index: answer.index };
    }
    if (turn >= maxIterations) {
      return { kind: "answer", stopReason: "max_iterations", thread: THREAD, index: answer.index };
    }
    const first = answer.index + 1;
    const calls = withUniqueIds(answer.toolCalls, answer.index);
    await context.all(
      calls.map((call, n) => (branch) => branch.effect({ kind: "tool", thread: THREAD, index: first + n, call })),
    );
    length = first + calls.length;
    if (context.checkpointDue()) return { kind: "continue", state: { length, turn } };
  }
}

async function begin(context: LoopContext): Promise<Position> {
  const { state } = context.input;
  if (state !== null) return readPosition(state);
  const { length } = await context.effect({ kind: "context", thread: THREAD });
  return { length, turn: 0 };
}

function readPosition(state: Json): Position {
  if (isJsonObject(state)) {
    const { length, turn } = state;
    if (typeof length === "number" && typeof turn === "number") return { length, turn };
  }
  throw new AstromeshError("journal_mismatch", "the checkpoint of this run is not one that the react loop wrote");
}
