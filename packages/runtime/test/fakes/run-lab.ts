import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createIds, LOCAL_PRINCIPAL } from "../../src/core/index.ts";
import type {
  AgentDefinition,
  Clock,
  Ids,
  Json,
  JsonObject,
  Message,
  Pattern,
  Run,
  StreamEvent,
} from "../../src/core/index.ts";
import type {
  Catalog,
  Logger,
  ModelCall,
  ModelCallEvent,
  ModelGateway,
  RunStore,
  Store,
  SubmitRequest,
  Tool,
  ToolOutcome,
  ToolScope,
} from "../../src/core/ports/index.ts";
import { createRunEngine, SILENT_OBSERVER } from "../../src/runs/index.ts";
import type { RunEngine, RunEngineDeps, RunEngineOptions, RunObserver } from "../../src/runs/index.ts";
import { createSqliteStore } from "../../src/store/index.ts";
import { sampleDefinition } from "./sample-run.ts";
import { systemClock } from "./system-clock.ts";
import { until } from "./until.ts";

/** Says nothing. */
const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

/** A SQLite store in a folder of its own. */
export async function openLabStore(): Promise<{ readonly store: Store; readonly close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "astromesh-runs-"));
  const store = createSqliteStore({
    path: join(folder, "runs.db"),
    clock: systemClock,
    ids: createIds(() => systemClock.now(), Math.random),
  });
  await store.start(new AbortController().signal);
  const close = async (): Promise<void> => {
    await store.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { store, close };
}

/** What a fake model says to a call. */
export type FakeModel = (call: ModelCall, signal: AbortSignal) => AsyncIterable<ModelCallEvent>;

/** The end of a fake model's answer. */
export function finish(reason: "stop" | "tool_calls" = "stop"): ModelCallEvent {
  const usage = { inputTokens: 10, outputTokens: 2, costUsd: 0.01 };
  return { type: "finish", reason, usage, provider: "fake", model: "fake-1" };
}

/** A model that says these words, and nothing else, to every call. */
export function saying(...words: string[]): FakeModel {
  return async function* say() {
    yield { type: "candidate", provider: "fake", model: "fake-1", why: "the only one" };
    for (const text of words) yield { type: "text", text };
    yield finish();
  };
}

/** A tool that counts its executions by idempotency key. */
export interface CountingTool extends Tool {
  readonly executions: Map<string, number>;
}

/** Makes a tool. `work` is what it does; by default it answers with its arguments. */
export function countingTool(
  name: string,
  effect: Tool["effect"],
  work: (args: JsonObject, scope: ToolScope) => Promise<ToolOutcome> = async (args) => ({ ok: true, data: args }),
  more: Partial<Tool> = {},
): CountingTool {
  const executions = new Map<string, number>();
  return {
    spec: { name, description: name, parameters: { type: "object" } },
    source: "builtin",
    effect,
    approval: "never",
    timeoutMs: 30_000,
    effectOf: () => effect,
    invalid: () => null,
    execute: (args, scope) => {
      executions.set(scope.idempotencyKey, (executions.get(scope.idempotencyKey) ?? 0) + 1);
      return work(args, scope);
    },
    executions,
    ...more,
  };
}

/** What a lab is made of; everything has a default. */
export interface LabParts {
  readonly store: RunStore;
  readonly clock?: Clock;
  readonly nodeId?: string;
  readonly pattern: Pattern;
  readonly model?: FakeModel;
  readonly tools?: readonly Tool[];
  readonly options?: Partial<RunEngineOptions>;
  readonly definition?: (definition: AgentDefinition) => AgentDefinition;
  readonly opening?: readonly Message[];
  readonly observer?: Partial<RunObserver>;
  /** More agents, by name, each with its own pattern. */
  readonly agents?: Readonly<Record<string, Pattern>>;
}

/** An engine over real stores and fake everything else. */
export interface Lab {
  readonly engine: RunEngine;
  readonly ids: Ids;
  /** Submits a run of the lab's agent. */
  submit(fields?: Partial<SubmitRequest> & { readonly query?: string }): Promise<Run>;
  /** The run once it has ended. */
  ended(runId: string): Promise<Run>;
  /** Every event until the final one. */
  events(runId: string, after?: { readonly attempt: number; readonly offset: number }): Promise<StreamEvent[]>;
  journal(runId: string): ReturnType<RunStore["journal"]>;
}

let seed = 1;

/** A small repeatable random source (mulberry32). */
function seeded(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Creates a lab. The caller starts and stops its engine. */
export function createLab(parts: LabParts): Lab {
  const clock = parts.clock ?? systemClock;
  const random = seeded((seed += 1));
  const ids = createIds(() => clock.now(), random);
  const patterns = new Map<string, Pattern>([["greeter", parts.pattern], ...Object.entries(parts.agents ?? {})]);
  const gateway: ModelGateway = { call: (call, signal) => (parts.model ?? saying("hello"))(call, signal) };
  const tools = new Map((parts.tools ?? []).map((tool) => [tool.spec.name, tool]));
  const deps: RunEngineDeps = {
    store: parts.store,
    catalog: { current: () => catalogOf([...patterns.keys()], parts.definition ?? ((definition) => definition)) },
    patterns: () => (context) => (patterns.get(context.input.definition.name) ?? parts.pattern)(context),
    gateway,
    tools: { forAgent: () => tools, builtin: () => [] },
    contextBuilder: {
      build: async ({ run }) =>
        parts.opening ?? [
          { role: "system", text: "Be brief." },
          { role: "user", text: run.input.query },
        ],
    },
    memory: {
      recall: async () => [],
      kept: () => null,
      history: async () => [],
      clear: async () => 0,
    },
    clock,
    ids,
    random,
    logger: silentLogger,
    nodeId: parts.nodeId ?? "node_a",
    observer: { ...SILENT_OBSERVER, ...parts.observer },
  };
  const engine = createRunEngine(deps, { pollMs: 50, ...parts.options });

  const submit: Lab["submit"] = async ({ query = "Hello", ...fields } = {}) => {
    const submitted = await engine.submit({
      agent: "greeter",
      input: { query, images: [], context: {} },
      sessionId: null,
      principal: LOCAL_PRINCIPAL,
      idempotency: null,
      traceparent: null,
      ...fields,
    });
    return submitted.run;
  };
  return {
    engine,
    ids,
    submit,
    ended: (runId) =>
      until(`the end of ${runId}`, async () => {
        const run = await engine.settled(runId, LOCAL_PRINCIPAL, 10_000, new AbortController().signal);
        return run.endedAt !== null && run;
      }),
    events: async (runId, after) => {
      const events: StreamEvent[] = [];
      const signal = AbortSignal.timeout(20_000);
      for await (const event of engine.events(runId, LOCAL_PRINCIPAL, after ?? null, signal)) events.push(event);
      return events;
    },
    journal: (runId) => engine.journal(runId, LOCAL_PRINCIPAL),
  };
}

function catalogOf(names: readonly string[], change: (definition: AgentDefinition) => AgentDefinition): Catalog {
  const agents = names.map((name) => {
    const { definition } = sampleDefinition(name);
    const changed = change(definition);
    return [
      name,
      { digest: `sha256:${JSON.stringify(changed)}`, definition: changed, source: "file", file: null, notices: [] },
    ] as const;
  });
  return { generation: 1, agents: new Map(agents), rejected: [] };
}

/** Runs a test with a started engine, and stops it whatever happens. */
export async function withLab<T>(parts: LabParts, body: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = createLab(parts);
  lab.engine.start();
  try {
    return await body(lab);
  } finally {
    await lab.engine.stop({ graceMs: 0 });
  }
}

/** A model that asks for these tools once, then says that it is done. */
export function calling(...calls: readonly (readonly [name: string, args: JsonObject])[]): FakeModel {
  return async function* call({ messages }) {
    if (messages.some(({ role }) => role === "tool")) {
      yield { type: "text", text: "done" };
      yield finish();
      return;
    }
    for (const [index, [name, args]] of calls.entries()) {
      yield { type: "tool_call", call: { id: `call_${index}`, name, arguments: args } };
    }
    yield finish("tool_calls");
  };
}

/** What a client has of each thread after a stream: tokens, minus what was retracted. */
export function textsOf(events: readonly StreamEvent[]): Record<string, string> {
  let said: { readonly offset: number; readonly thread: string; readonly text: string }[] = [];
  for (const { offset, event } of events) {
    if (event.type === "token") said.push({ offset, thread: event.thread, text: event.text });
    if (event.type === "retract") said = said.filter((token) => token.offset <= event.to);
  }
  const texts: Record<string, string> = {};
  for (const { thread, text } of said) texts[thread] = (texts[thread] ?? "") + text;
  return texts;
}

/** The same as one text, for runs with one thread. */
export function textOf(events: readonly StreamEvent[]): string {
  return Object.values(textsOf(events)).join("");
}

/** A pattern that opens its thread, asks the model once and answers. */
export const askOnce: Pattern = async (context) => {
  const { length } = await context.effect({ kind: "context", thread: "main" });
  const answer = await context.effect({
    kind: "model",
    thread: "main",
    length,
    role: "reasoner",
    tools: false,
    stream: true,
    returnText: false,
  });
  return { kind: "answer", stopReason: "end", thread: "main", index: answer.index };
};

/** A pattern that answers with what `body` returns, as JSON. */
export function answering(body: (context: Parameters<Pattern>[0]) => Promise<Json>): Pattern {
  return async (context) => {
    const result = await body(context);
    await context.effect({ kind: "say", thread: "out", index: 0, role: "user", text: JSON.stringify(result) });
    return { kind: "answer", stopReason: "end", thread: "out", index: 0 };
  };
}
