import type { EffectExecutor, EffectScope } from "./executor.ts";
import { NO_SPENDING } from "./executor.ts";

/** Opens a thread: rendered system prompt, recalled history, the user's query. */
export function createContextExecutor(scope: EffectScope): EffectExecutor<"context"> {
  return {
    plan: () => ({
      effectClass: "read",
      name: "context",
      about: null,
      approval: false,
      announce: null,
      refusal: null,
    }),
    perform: async ({ thread }) => {
      const { definition, run } = scope;
      const messages = await scope.contextBuilder.build({ definition, run, thread });
      return {
        result: { length: messages.length },
        payload: { thread, length: messages.length },
        messages: messages.map((message, index) => ({ thread, index, message })),
        event: null,
        ok: true,
        spent: NO_SPENDING,
        turn: null,
        completeEffectKey: null,
      };
    },
    replay: async (_request, payload) => ({ length: Number(payload["length"]) }),
  };
}
