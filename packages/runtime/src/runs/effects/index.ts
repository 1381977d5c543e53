import { createContextExecutor } from "./context.ts";
import { createToolFinder } from "./executor.ts";
import type { EffectExecutor, EffectScope } from "./executor.ts";
import { createModelExecutor } from "./model.ts";
import { createRememberExecutor } from "./remember.ts";
import { createSayExecutor } from "./say.ts";
import { createToolExecutor } from "./tool.ts";
import type { ToolExecutor } from "./tool.ts";

/** The executors of one attempt, by kind of effect. */
export interface EffectExecutors {
  readonly context: EffectExecutor<"context">;
  readonly say: EffectExecutor<"say">;
  readonly model: EffectExecutor<"model">;
  readonly tool: ToolExecutor;
  readonly remember: EffectExecutor<"remember">;
}

/** Creates the executors for one run. They know nothing of the engine that hosts them. */
export function createEffectExecutors(scope: EffectScope): EffectExecutors {
  const tools = createToolFinder(scope);
  return {
    context: createContextExecutor(scope),
    say: createSayExecutor(),
    model: createModelExecutor(scope, tools),
    tool: createToolExecutor(scope, tools),
    remember: createRememberExecutor(scope),
  };
}

export type { EffectCall, EffectDone, EffectExecutor, EffectPlan, EffectScope, RequestOf } from "./executor.ts";
export { createThreads } from "./threads.ts";
export type { Threads } from "./threads.ts";
export { failure, toolCallEvent, toolResultEvent } from "./tool.ts";
export type { ToolExecutor } from "./tool.ts";
