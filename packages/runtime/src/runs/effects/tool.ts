import { formatDuration, toAstromeshError } from "../../core/index.ts";
import type {
  ErrorCode,
  Json,
  JsonObject,
  Message,
  Run,
  RunEvent,
  ToolCall,
  ToolEffect,
  ToolResult,
} from "../../core/index.ts";
import type { EffectKey, Tool, ToolOutcome, ToolScope } from "../../core/ports/index.ts";
import { digestOf } from "../digest.ts";
import type { EffectCall, EffectDone, EffectExecutor, EffectPlan, EffectScope } from "./executor.ts";
import { NO_SPENDING } from "./executor.ts";
import { withTimeLimit } from "./time-limit.ts";
import { headOf, toolText } from "./tool-text.ts";

/** How much of a result watchers see. */
const PREVIEW_BYTES = 4 * 1024;

/** A tool's outcome before it becomes an observation, with the key that it completes. */
interface Settled {
  readonly outcome: ToolOutcome;
  readonly key: EffectKey | null;
}

/** Performs tool calls, and settles those whose outcome a crash hid. */
export interface ToolExecutor extends EffectExecutor<"tool"> {
  /** How long the tool may work; after a crash its outcome may change for that long. Milliseconds. */
  timeoutMs(request: ToolEffect): number;
  /** True when the tool can be asked what became of a call. */
  reconciles(request: ToolEffect): boolean;
  /** Asks the tool what became of a call; `unknown` when it cannot tell. */
  reconcile(request: ToolEffect, call: EffectCall): Promise<ToolOutcome | "unknown">;
  /** An outcome as the model and the journal see it. */
  observe(request: ToolEffect, outcome: ToolOutcome, durationMs: number): EffectDone<"tool">;
}

/** How long a tool is asked for that has left the definition meanwhile. Milliseconds. */
const UNKNOWN_TOOL_TIMEOUT_MS = 30_000;

/** Creates the executor of tool calls. A tool's failure is an observation for the model, never an error of the run. */
export function createToolExecutor(scope: EffectScope, tools: () => ReadonlyMap<string, Tool>): ToolExecutor {
  const { clock, run } = scope;
  const observe = (request: ToolEffect, outcome: ToolOutcome, durationMs: number): EffectDone<"tool"> =>
    observation(scope.toolTextBytes, request, outcome, durationMs);

  const execute = async (tool: Tool, args: JsonObject, call: EffectCall): Promise<ToolOutcome> => {
    const limited = await withTimeLimit(clock, tool.timeoutMs, call.signal, async (signal) => {
      try {
        return await tool.execute(args, toolScope(run, call, signal));
      } catch (thrown) {
        return failure("tool_failed", toAstromeshError(thrown).message);
      }
    });
    // A tool that heard the abort may have answered with a failure of its own making.
    call.signal.throwIfAborted();
    return limited.kind === "done" ? limited.value : timedOut(tool, args);
  };

  const settle = async (tool: Tool, args: JsonObject, call: EffectCall): Promise<Settled> => {
    const windowMs = tool.effectKeyWindowMs;
    if (windowMs === undefined) return { outcome: await execute(tool, args, call), key: null };
    const key = { tool: tool.spec.name, principalId: run.principalId, key: digestOf(args) };
    const reserved = await scope.store.reserveEffectKey({
      ...key,
      runId: run.runId,
      position: call.place,
      expiresAt: clock.now() + windowMs,
    });
    if (reserved.kind === "reserved") return { outcome: await execute(tool, args, call), key };
    if (reserved.result !== undefined) return { outcome: reserved.result as unknown as ToolOutcome, key: null };
    const message = `The same call is under way, or of unknown outcome, in run ${reserved.runId}.`;
    return { outcome: failure("tool_failed", message), key: null };
  };

  return {
    observe,
    plan: (request) => planOf(scope, tools(), request, observe),
    perform: async (request, call) => {
      const startedAt = clock.monotonic();
      const tool = tools().get(request.call.name);
      const { outcome, key } =
        tool === undefined
          ? { outcome: notFound(request, tools()), key: null }
          : await settle(tool, request.call.arguments ?? {}, call);
      const done = observe(request, outcome, Math.round(clock.monotonic() - startedAt));
      return key === null ? done : { ...done, completeEffectKey: { ...key, result: outcome as unknown as Json } };
    },
    replay: async (request, payload): Promise<ToolResult> => ({
      index: request.index,
      ok: payload["ok"] === true,
      durationMs: Number(payload["durationMs"]),
    }),
    timeoutMs: (request) => tools().get(request.call.name)?.timeoutMs ?? UNKNOWN_TOOL_TIMEOUT_MS,
    reconciles: (request) => tools().get(request.call.name)?.reconcile !== undefined,
    reconcile: async (request, call) => {
      const tool = tools().get(request.call.name);
      if (tool?.reconcile === undefined) return "unknown";
      const ask = async (signal: AbortSignal): Promise<ToolOutcome | "unknown"> => {
        const answer = tool.reconcile?.(request.call.arguments ?? {}, toolScope(run, call, signal));
        return (await answer?.catch(() => "unknown" as const)) ?? "unknown";
      };
      const limited = await withTimeLimit(clock, tool.timeoutMs, call.signal, ask);
      return limited.kind === "done" ? limited.value : "unknown";
    },
  };
}

function toolScope(run: Run, call: EffectCall, signal: AbortSignal): ToolScope {
  const { agent, runId, sessionId, principalId } = run;
  const { idempotencyKey, traceparent } = call;
  return { agent, runId, sessionId, principalId, idempotencyKey, traceparent, signal };
}

function planOf(
  scope: EffectScope,
  tools: ReadonlyMap<string, Tool>,
  request: ToolEffect,
  observe: ToolExecutor["observe"],
): EffectPlan<"tool"> {
  const { call } = request;
  const tool = tools.get(call.name);
  const refused = refusalOf(scope, tools, request);
  return {
    effectClass: tool === undefined || call.arguments === null ? "read" : tool.effectOf(call.arguments),
    name: call.name,
    about: { thread: request.thread, index: request.index, tool: call.name, callId: call.id },
    approval: tool?.approval === "ask",
    announce: toolCallEvent(call),
    refusal: refused === null ? null : observe(request, refused, 0),
  };
}

/** Why the call is not made at all; null when it may be. */
function refusalOf(
  { definition }: EffectScope,
  tools: ReadonlyMap<string, Tool>,
  request: ToolEffect,
): ToolOutcome | null {
  const { name, arguments: args, rawArguments } = request.call;
  const allowed = definition.permissions.allowedActions;
  if (allowed !== null && !allowed.includes(name) && !allowed.includes("*")) {
    return failure("tool_denied", `The agent's permissions do not allow ${name}.`);
  }
  const tool = tools.get(name);
  if (tool === undefined) return notFound(request, tools);
  if (args === null) {
    const shown = headOf(rawArguments ?? "", 200);
    return failure("tool_invalid_arguments", `The arguments must be a JSON object, but were: ${shown}`);
  }
  const wrong = tool.invalid(args);
  return wrong === null ? null : failure("tool_invalid_arguments", wrong);
}

function notFound(request: ToolEffect, tools: ReadonlyMap<string, Tool>): ToolOutcome {
  const names = [...tools.keys()].join(", ");
  const offered = names === "" ? "There are no tools." : `Tools: ${names}.`;
  return failure("tool_not_found", `There is no tool ${request.call.name}. ${offered}`);
}

function timedOut(tool: Tool, args: JsonObject): ToolOutcome {
  const doubt = tool.effectOf(args) === "read" ? "" : " It may have had its effect all the same.";
  return failure("tool_timeout", `The tool did not finish within ${formatDuration(tool.timeoutMs)}.${doubt}`);
}

/** A failure as an outcome. */
export function failure(code: ErrorCode, message: string): ToolOutcome {
  return { ok: false, code, message };
}

type ToolMessage = Extract<Message, { role: "tool" }>;

/** What watchers are told of a call. */
export function toolCallEvent({ id, name, arguments: args, rawArguments }: ToolCall): RunEvent {
  return { type: "tool_call", id, name, arguments: args ?? rawArguments ?? null };
}

/** What watchers are told of a result. */
export function toolResultEvent({ toolCallId, toolName, ok, text }: ToolMessage): RunEvent {
  return { type: "tool_result", id: toolCallId, name: toolName, ok, preview: headOf(text, PREVIEW_BYTES) };
}

function observation(
  maxBytes: number,
  request: ToolEffect,
  outcome: ToolOutcome,
  durationMs: number,
): EffectDone<"tool"> {
  const { call, thread, index } = request;
  const { ok } = outcome;
  const { text, sizeBytes, cut } = toolText(ok ? outcome.data : `${outcome.code}: ${outcome.message}`, maxBytes);
  const message: ToolMessage = { role: "tool", toolCallId: call.id, toolName: call.name, ok, text };
  return {
    result: { index, ok, durationMs },
    payload: {
      thread,
      index,
      ok,
      durationMs,
      sizeBytes,
      ...(ok ? {} : { code: outcome.code }),
      // The model sees a part; the whole stays in the journal, where the store makes it a blob.
      ...(ok && cut ? { whole: outcome.data } : {}),
    },
    messages: [{ thread, index, message }],
    event: toolResultEvent(message),
    ok,
    spent: { ...NO_SPENDING, toolMs: durationMs },
    turn: null,
    completeEffectKey: null,
  };
}
