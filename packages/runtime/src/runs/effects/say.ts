import type { EffectExecutor } from "./executor.ts";
import { NO_SPENDING } from "./executor.ts";

/** Adds a message of the pattern's own to a thread. */
export function createSayExecutor(): EffectExecutor<"say"> {
  return {
    plan: () => ({ effectClass: "read", name: "say", about: null, approval: false, announce: null, refusal: null }),
    perform: async ({ thread, index, role, text }) => ({
      result: null,
      payload: { thread, index },
      messages: [{ thread, index, message: { role, text } }],
      event: null,
      ok: true,
      spent: NO_SPENDING,
      turn: null,
      completeEffectKey: null,
    }),
    replay: async () => null,
  };
}
