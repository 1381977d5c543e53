import type {
  AgentDefinition,
  ChildOutcome,
  ChildRequest,
  EffectRequest,
  EffectResultOf,
  EffectResults,
  Json,
  LoopContext,
  ModelResult,
  SignalOutcome,
  ToolCall,
} from "../../src/core/index.ts";

/** A call that the loop made: its place (as in a journal) and what it asked for. */
export interface RecordedCall {
  readonly position: string;
  readonly request: EffectRequest | { readonly kind: "sleep" | "signal" | "child"; readonly detail: Json };
}

/** What a fake loop answers. Absent parts have harmless defaults; a handler may throw to fail the call. */
export interface LoopScript {
  /** The turns of the model, one after another; asking beyond the last is an error of the test. */
  readonly models?: readonly (Partial<ModelResult> | ((request: EffectRequest) => Partial<ModelResult>))[];
  readonly tool?: (call: ToolCall, position: string) => { readonly ok: boolean } | Promise<{ readonly ok: boolean }>;
  readonly contextLength?: number;
  readonly signals?: readonly SignalOutcome[];
  readonly child?: (request: ChildRequest) => ChildOutcome;
  /** Asked before each turn. */
  readonly checkpointDue?: () => boolean;
  readonly state?: Json;
  readonly query?: string;
}

/** A loop context that answers from a script and records every call, with positions as the journal engine numbers. */
export interface FakeLoop {
  readonly context: LoopContext;
  readonly calls: readonly RecordedCall[];
  /** The requests of one kind, in the order in which they were made. */
  requests<K extends EffectRequest["kind"]>(kind: K): readonly Extract<EffectRequest, { kind: K }>[];
}

/** Builds a fake loop for a definition. */
export function createFakeLoop(definition: AgentDefinition, script: LoopScript = {}): FakeLoop {
  const calls: RecordedCall[] = [];
  const models = [...(script.models ?? [])];
  const signals = [...(script.signals ?? [])];

  const perform = async (request: EffectRequest, position: string): Promise<EffectResults[keyof EffectResults]> => {
    switch (request.kind) {
      case "context":
        return { length: script.contextLength ?? 2 };
      case "model": {
        const next = models.shift();
        if (next === undefined) throw new Error(`the script has no model turn for position ${position}`);
        return { ...answerAt(request.length), ...(typeof next === "function" ? next(request) : next) };
      }
      case "tool":
        return {
          index: request.index,
          durationMs: 1,
          ...(await (script.tool?.(request.call, position) ?? { ok: true })),
        };
      case "say":
      case "remember":
        break;
    }
    return null;
  };

  const contextAt = (prefix: string): LoopContext => {
    let count = 0;
    const next = (): string => `${prefix}${count++}`;
    const branch = async <T>(branches: readonly ((context: LoopContext) => Promise<T>)[]): Promise<Promise<T>[]> => {
      const position = next();
      return branches.map((run, n) => run(contextAt(`${position}.${n}.`)));
    };
    return {
      input: { runId: "run_fake", definition, query: script.query ?? "question", state: script.state ?? null },
      effect: async <R extends EffectRequest>(request: R) => {
        const position = next();
        calls.push({ position, request });
        return (await perform(request, position)) as EffectResultOf<R>;
      },
      sleep: async (durationMs) => {
        calls.push({ position: next(), request: { kind: "sleep", detail: durationMs } });
      },
      waitSignal: async (name) => {
        calls.push({ position: next(), request: { kind: "signal", detail: name } });
        return signals.shift() ?? { kind: "timeout" };
      },
      child: async (request) => {
        calls.push({ position: next(), request: { kind: "child", detail: { ...request } } });
        if (script.child === undefined) throw new Error(`the script has no child run for ${request.agent}`);
        return script.child(request);
      },
      all: async (branches) => {
        const settled = await Promise.allSettled(await branch(branches));
        return settled.map((result) => {
          if (result.status === "rejected") throw result.reason;
          return result.value;
        });
      },
      race: async (branches) =>
        Promise.race((await branch(branches)).map(async (value, index) => ({ index, value: await value }))),
      now: () => 0,
      random: () => 0.5,
      version: async (_changeId, supported) => supported.max,
      checkpointDue: () => script.checkpointDue?.() ?? false,
    };
  };

  return {
    context: contextAt(""),
    calls,
    requests: <K extends EffectRequest["kind"]>(kind: K) =>
      calls
        .map((call) => call.request)
        .filter((request): request is Extract<EffectRequest, { kind: K }> => request.kind === kind),
  };
}

/** A tool call as a model asks for it. */
export function toolCall(id: string, name: string, args: ToolCall["arguments"] = {}): ToolCall {
  return { id, name, arguments: args };
}

function answerAt(index: number): ModelResult {
  return {
    index,
    finishReason: "stop",
    toolCalls: [],
    text: null,
    usage: { inputTokens: 1, outputTokens: 1, costUsd: 0 },
    provider: "scripted",
    model: "fake",
    durationMs: 1,
  };
}
