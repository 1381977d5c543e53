import { AstromeshError, withUniqueIds } from "../../core/index.ts";
import type {
  AgentDefinition,
  FinishReason,
  JsonObject,
  Message,
  ModelEffect,
  ModelResult,
  ToolCall,
  Usage,
} from "../../core/index.ts";
import type { ModelCall, ModelCallEvent, Tool } from "../../core/ports/index.ts";
import type { EffectCall, EffectDone, EffectExecutor, EffectScope } from "./executor.ts";
import { pairToolCalls } from "./repair.ts";

/** Roughly how many characters make a token of English text; only for estimates of lost calls. */
const CHARACTERS_PER_TOKEN = 4;

type Finish = Extract<ModelCallEvent, { type: "finish" }>;

/** Asks a model through the gateway. Class `idempotent`: repeated with the same key, at the price of another call. */
export function createModelExecutor(
  scope: EffectScope,
  tools: () => ReadonlyMap<string, Tool>,
): EffectExecutor<"model"> {
  return {
    plan: (request) => ({
      effectClass: "idempotent",
      name: request.role,
      about: { thread: request.thread, role: request.role, length: request.length },
      approval: false,
      announce: null,
      refusal: null,
    }),
    perform: async (request, call) => {
      refuseOverBudget(scope);
      const startedAt = scope.clock.monotonic();
      const modelCall = await buildCall(scope, tools, request, call);
      const answer = await listen(scope, modelCall, request, call);
      return answered(request, answer, Math.round(scope.clock.monotonic() - startedAt));
    },
    replay: async (request, payload) => {
      const message = await scope.threads.at(request.thread, request.length);
      return resultOf(request, payload, message);
    },
    lost: async (request) => {
      const messages = await scope.threads.read(request.thread, 0, request.length);
      const characters = messages.reduce((sum, message) => sum + message.text.length, 0);
      return { inputTokens: Math.ceil(characters / CHARACTERS_PER_TOKEN), outputTokens: 0, costUsd: null };
    },
  };
}

/** The policy of a pattern's role: the definition's map first, then a model role of the same name, then the default. */
function policyOf(definition: AgentDefinition, role: string) {
  const name = definition.orchestration.roleMap[role] ?? role;
  return definition.model.roles[name] ?? definition.model.default;
}

async function buildCall(
  scope: EffectScope,
  tools: () => ReadonlyMap<string, Tool>,
  request: ModelEffect,
  call: EffectCall,
): Promise<ModelCall> {
  const { definition, run } = scope;
  const messages = await scope.threads.read(request.thread, 0, request.length);
  return {
    policy: policyOf(definition, request.role),
    messages: pairToolCalls(messages),
    tools: request.tools ? [...tools().values()].map((tool) => tool.spec) : [],
    // What the loop reads itself (a plan, a route) is not the answer, so the answer's schema does not hold for it.
    outputSchema: request.returnText ? null : definition.outputSchema,
    idempotencyKey: call.idempotencyKey,
    traceparent: call.traceparent,
    agent: run.agent,
    runId: run.runId,
  };
}

interface Heard {
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: Finish;
}

/** Reads the answer and passes its text on. A `retract` of the router voids what this call has said so far. */
async function listen(scope: EffectScope, model: ModelCall, request: ModelEffect, call: EffectCall): Promise<Heard> {
  const { stream } = scope;
  const from = stream.head();
  const release = request.stream ? stream.hold() : () => {};
  let text = "";
  let thinking = "";
  let toolCalls: ToolCall[] = [];
  try {
    for await (const event of scope.gateway.call(model, call.signal)) {
      call.signal.throwIfAborted();
      switch (event.type) {
        case "text":
          text += event.text;
          if (request.stream && event.text !== "") {
            stream.emit({ type: "token", text: event.text, thread: request.thread }, call.place);
          }
          break;
        case "thinking":
          thinking += event.text;
          break;
        case "tool_call":
          toolCalls.push(event.call);
          break;
        case "retract":
          if (request.stream && text !== "") stream.retract(from, call.place, event.reason);
          text = "";
          thinking = "";
          toolCalls = [];
          break;
        case "candidate":
          break;
        case "finish":
          return { text, thinking, toolCalls, finish: event };
      }
    }
  } finally {
    release();
  }
  throw new AstromeshError("model_stream_broken", "The model's answer ended without its end mark.");
}

function answered(request: ModelEffect, heard: Heard, durationMs: number): EffectDone<"model"> {
  const { finish } = heard;
  const toolCalls = withUniqueIds(heard.toolCalls, request.length);
  const message: Message = {
    role: "assistant",
    text: heard.text,
    ...(heard.thinking === "" ? {} : { thinking: heard.thinking }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  };
  const payload = {
    thread: request.thread,
    index: request.length,
    finishReason: finish.reason,
    usage: { ...finish.usage },
    provider: finish.provider,
    model: finish.model,
    durationMs,
  };
  return {
    result: resultOf(request, payload, message),
    payload,
    messages: [{ thread: request.thread, index: request.length, message }],
    event: null,
    ok: true,
    spent: {
      usage: finish.usage,
      modelMs: durationMs,
      toolMs: 0,
      model: finish.model,
      provider: finish.provider,
    },
    turn: null,
    completeEffectKey: null,
  };
}

/** The journal keeps no text: it stands in the thread. */
function resultOf(request: ModelEffect, payload: JsonObject, message: Message | null): ModelResult {
  const answer = message?.role === "assistant" ? message : null;
  return {
    index: request.length,
    finishReason: payload["finishReason"] as FinishReason,
    toolCalls: answer?.toolCalls ?? [],
    text: request.returnText ? (answer?.text ?? "") : null,
    usage: payload["usage"] as unknown as Usage,
    provider: payload["provider"] as string,
    model: payload["model"] as string,
    durationMs: Number(payload["durationMs"]),
  };
}

/** A budget that is used up refuses the next call. It is checked before the call, so one call may go beyond it. */
function refuseOverBudget({ definition, used }: EffectScope): void {
  const { maxTokens, maxCostUsd } = definition.budget;
  const { inputTokens, outputTokens, costUsd } = used();
  const tokens = inputTokens + outputTokens;
  if (maxTokens !== null && tokens >= maxTokens) {
    throw new AstromeshError("budget_exceeded", `The run has used ${tokens} of its ${maxTokens} tokens.`);
  }
  if (maxCostUsd === null) return;
  if (costUsd === null) {
    const message = "The run has a budget in money and a model without a price: add the price, or drop the budget.";
    throw new AstromeshError("budget_exceeded", message);
  }
  if (costUsd >= maxCostUsd) {
    throw new AstromeshError("budget_exceeded", `The run has spent $${costUsd} of its $${maxCostUsd}.`);
  }
}
