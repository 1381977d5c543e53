import type { Message } from "../../core/index.ts";
import type { EffectExecutor, EffectScope } from "./executor.ts";
import { NO_SPENDING } from "./executor.ts";

/**
 * Keeps the run's question and answer in the session's memory. Nothing is performed but the write of its outcome, so
 * there is no intent.
 */
export function createRememberExecutor(scope: EffectScope): EffectExecutor<"remember"> {
  return {
    plan: () => ({
      effectClass: "idempotent",
      name: "remember",
      about: null,
      approval: false,
      announce: null,
      refusal: null,
    }),
    perform: async ({ thread, answerIndex }) => {
      const { run, definition } = scope;
      const question: Message = {
        role: "user",
        text: run.input.query,
        ...(run.input.images.length > 0 ? { images: run.input.images } : {}),
      };
      const answer = await scope.threads.at(thread, answerIndex);
      const key = { agent: run.agent, principalId: run.principalId, sessionId: run.sessionId };
      const messages = answer === null ? [question] : [question, answer];
      const turn = scope.memory.kept(definition, { runId: run.runId, at: run.createdAt, messages });
      return {
        result: null,
        payload: {},
        messages: [],
        event: null,
        ok: true,
        spent: NO_SPENDING,
        turn: turn === null ? null : { key, turn },
        completeEffectKey: null,
      };
    },
    replay: async () => null,
  };
}
