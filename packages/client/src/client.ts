import { apiErrorOf } from "./errors.ts";
import { watchRun } from "./run-events.ts";
import type { RunStreamEvent, WatchOptions } from "./run-events.ts";
import { readEvents } from "./sse.ts";
import { createTransport, unwrap } from "./transport.ts";
import type { ClientOptions, Transport } from "./transport.ts";
import type * as T from "./types.ts";

/** How to make one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** How to make a call that begins a run. */
export interface SubmitOptions extends CallOptions {
  /** Same key, same run: makes a repeat after a broken connection safe. */
  readonly idempotencyKey?: string;
}

/**
 * A node's API. Every method rejects with `AstromeshApiError` when the node answers with an error, with
 * `AstromeshConnectionError` when there is no answer, and with the signal's reason when that aborts.
 */
export interface AstromeshClient {
  /** The routes themselves (openapi-fetch), for what the methods below do not say. */
  readonly api: Transport["api"];
  health(options?: CallOptions): Promise<T.Health>;
  /** Resolves also for a node that is not ready: `status` and `reasons` say so. */
  ready(options?: CallOptions): Promise<T.Ready>;
  /** Prometheus text. */
  metrics(options?: CallOptions): Promise<string>;
  /** The log, from `backlog` lines ago on (default 100), until the signal aborts or the node stops. */
  logs(options?: CallOptions & { readonly backlog?: number }): AsyncIterable<T.LogLine>;
  providers(options?: CallOptions): Promise<T.ProviderList>;
  config(options?: CallOptions): Promise<T.Config>;
  readonly system: {
    status(options?: CallOptions): Promise<T.SystemStatus>;
    doctor(options?: CallOptions): Promise<T.Doctor>;
    reload(options?: CallOptions): Promise<T.Reload>;
  };
  readonly agents: {
    list(options?: CallOptions): Promise<T.AgentList>;
    get(name: string, options?: CallOptions): Promise<T.Agent>;
    create(document: T.AgentDocument, options?: CallOptions): Promise<T.Agent>;
    replace(name: string, document: T.AgentDocument, options?: CallOptions): Promise<T.Agent>;
    remove(name: string, options?: CallOptions): Promise<void>;
    /** Checks a definition without keeping it. */
    validate(document: T.AgentDocument, options?: CallOptions): Promise<T.AgentCheck>;
    /** The faults of an agent as it is loaded. */
    check(name: string, options?: CallOptions): Promise<T.AgentCheck>;
    /** Runs an agent and waits. A run that parks has `status: "waiting"` and no answer. */
    run(name: string, request: T.AgentRunRequest, options?: SubmitOptions): Promise<T.RunAnswer | T.RunAccepted>;
    /** Runs an agent and tells its events; connects again when the connection breaks. */
    stream(name: string, request: T.AgentRunRequest, options?: SubmitOptions): AsyncIterable<RunStreamEvent>;
  };
  readonly runs: {
    submit(request: T.RunSubmitRequest, options?: SubmitOptions): Promise<T.RunAccepted>;
    list(query?: T.RunQuery, options?: CallOptions): Promise<T.RunPage>;
    get(runId: string, options?: CallOptions): Promise<T.Run>;
    journal(runId: string, options?: CallOptions): Promise<T.Journal>;
    cancel(runId: string, options?: CallOptions): Promise<T.Run>;
    signal(runId: string, request: T.SignalRequest, options?: CallOptions): Promise<T.Run>;
    approve(runId: string, request?: T.ApprovalRequest, options?: CallOptions): Promise<T.Run>;
    reject(runId: string, request?: T.ApprovalRequest, options?: CallOptions): Promise<T.Run>;
    resolve(runId: string, request: T.ResolveRequest, options?: CallOptions): Promise<T.Run>;
  };
  /** A run's events up to its end; connects again when the connection breaks. */
  events(runId: string, options?: WatchOptions): AsyncIterable<RunStreamEvent>;
  readonly memory: {
    history(agent: string, sessionId: string, options?: CallOptions & { limit?: number }): Promise<T.SessionHistory>;
    clear(agent: string, sessionId: string, options?: CallOptions): Promise<T.SessionCleared>;
  };
  readonly tools: {
    list(options?: CallOptions): Promise<T.ToolList>;
    builtin(options?: CallOptions): Promise<T.ToolList>;
    execute(request: T.ToolExecuteRequest, options?: CallOptions): Promise<T.ToolExecuted>;
  };
  readonly traces: {
    list(query?: { agent?: string; limit?: number }, options?: CallOptions): Promise<T.TraceList>;
    get(traceId: string, options?: CallOptions): Promise<T.Trace>;
  };
}

/** Makes a client for the node at `options.url`. Needs nothing but fetch: it works in browsers too. */
export function createClient(options: ClientOptions): AstromeshClient {
  const transport = createTransport(options);
  return {
    ...nodeMethods(transport),
    agents: agentMethods(transport),
    runs: runMethods(transport),
    events: (runId, watch = {}) => watchRun(opener(transport, runId), watch),
    ...dataMethods(transport),
  };
}

function nodeMethods(
  transport: Transport,
): Pick<AstromeshClient, "api" | "health" | "ready" | "metrics" | "logs" | "providers" | "config" | "system"> {
  const { api } = transport;
  return {
    api,
    health: (options) => unwrap(api.GET("/v1/health", { ...options })),
    ready: async (options) => {
      const { data, error, response } = await api.GET("/ready", { ...options });
      return response.status === 503
        ? (error as T.Ready)
        : unwrap(Promise.resolve({ data: data as T.Ready, error, response }));
    },
    metrics: (options) => unwrap(api.GET("/metrics", { ...options, parseAs: "text" })),
    logs: (options = {}) => tailLogs(transport, options),
    providers: (options) => unwrap(api.GET("/v1/providers", { ...options })),
    config: (options) => unwrap(api.GET("/v1/config", { ...options })),
    system: {
      status: (options) => unwrap(api.GET("/v1/system/status", { ...options })),
      doctor: (options) => unwrap(api.GET("/v1/system/doctor", { ...options })),
      reload: (options) => unwrap(api.POST("/v1/system/reload", { ...options })),
    },
  };
}

function agentMethods(transport: Transport): AstromeshClient["agents"] {
  const { api } = transport;
  const at = (name: string) => ({ path: { name } });
  return {
    list: (options) => unwrap(api.GET("/v1/agents", { ...options })),
    get: (name, options) => unwrap(api.GET("/v1/agents/{name}", { params: at(name), ...options })),
    create: (body, options) => unwrap(api.POST("/v1/agents", { body, ...options })),
    replace: (name, body, options) => unwrap(api.PUT("/v1/agents/{name}", { params: at(name), body, ...options })),
    remove: async (name, options) => {
      await unwrap(api.DELETE("/v1/agents/{name}", { params: at(name), ...options }));
    },
    validate: (body, options) => unwrap(api.POST("/v1/agents/validate", { body, ...options })),
    check: (name, options) => unwrap(api.POST("/v1/agents/{name}/validate", { params: at(name), ...options })),
    run: (name, body, { idempotencyKey, ...options } = {}) => {
      const params = { ...at(name), header: keyHeader(idempotencyKey) };
      // An answer of events comes only when asked for, by `stream`.
      return unwrap(api.POST("/v1/agents/{name}/run", { params, body, ...options })) as Promise<
        T.RunAnswer | T.RunAccepted
      >;
    },
    stream: (name, request, options = {}) => streamRun(transport, name, request, options),
  };
}

function runMethods({ api }: Transport): AstromeshClient["runs"] {
  const at = (runId: string) => ({ params: { path: { run_id: runId } } });
  return {
    submit: (body, { idempotencyKey, ...options } = {}) =>
      unwrap(api.POST("/v1/runs", { params: { header: keyHeader(idempotencyKey) }, body, ...options })),
    list: (query = {}, options = {}) => unwrap(api.GET("/v1/runs", { params: { query }, ...options })),
    get: (runId, options) => unwrap(api.GET("/v1/runs/{run_id}", { ...at(runId), ...options })),
    journal: (runId, options) => unwrap(api.GET("/v1/runs/{run_id}/journal", { ...at(runId), ...options })),
    cancel: (runId, options) => unwrap(api.POST("/v1/runs/{run_id}/cancel", { ...at(runId), ...options })),
    signal: (runId, body, options) => unwrap(api.POST("/v1/runs/{run_id}/signal", { ...at(runId), body, ...options })),
    approve: (runId, body = {}, options = {}) =>
      unwrap(api.POST("/v1/runs/{run_id}/approve", { ...at(runId), body, ...options })),
    reject: (runId, body = {}, options = {}) =>
      unwrap(api.POST("/v1/runs/{run_id}/reject", { ...at(runId), body, ...options })),
    resolve: (runId, body, options) =>
      unwrap(api.POST("/v1/runs/{run_id}/resolve", { ...at(runId), body, ...options })),
  };
}

function dataMethods({ api }: Transport): Pick<AstromeshClient, "memory" | "tools" | "traces"> {
  const path = (agent: string, session: string) => ({ agent, session });
  return {
    memory: {
      history: (agent, session, { limit, ...options } = {}) =>
        unwrap(
          api.GET("/v1/memory/{agent}/history/{session}", {
            params: { path: path(agent, session), query: limit === undefined ? {} : { limit } },
            ...options,
          }),
        ),
      clear: (agent, session, options) =>
        unwrap(
          api.DELETE("/v1/memory/{agent}/history/{session}", { params: { path: path(agent, session) }, ...options }),
        ),
    },
    tools: {
      list: (options) => unwrap(api.GET("/v1/tools", { ...options })),
      builtin: (options) => unwrap(api.GET("/v1/tools/builtin", { ...options })),
      execute: (body, options) => unwrap(api.POST("/v1/tools/execute", { body, ...options })),
    },
    traces: {
      list: (query = {}, options = {}) => unwrap(api.GET("/v1/traces", { params: { query }, ...options })),
      get: (traceId, options) =>
        unwrap(api.GET("/v1/traces/{trace_id}", { params: { path: { trace_id: traceId } }, ...options })),
    },
  };
}

const keyHeader = (key: string | undefined): { "idempotency-key"?: string } =>
  key === undefined ? {} : { "idempotency-key": key };

/** Opens a run's stream behind an event. */
function opener(
  transport: Transport,
  runId: string,
): (after: string | null, signal?: AbortSignal) => Promise<Response> {
  const path = `/v1/runs/${encodeURIComponent(runId)}/events`;
  return (after, signal) =>
    transport.stream(after === null ? path : `${path}?after=${encodeURIComponent(after)}`, { signal });
}

async function* streamRun(
  transport: Transport,
  name: string,
  request: T.AgentRunRequest,
  { idempotencyKey, signal }: SubmitOptions,
): AsyncGenerator<RunStreamEvent, void> {
  const first = await transport.stream(`/v1/agents/${encodeURIComponent(name)}/run`, {
    headers: { "content-type": "application/json", ...keyHeader(idempotencyKey) },
    body: JSON.stringify({ ...request, stream: true }),
    signal,
  });
  const runId = first.headers.get("x-astromesh-run-id");
  if (!first.ok || runId === null) throw await apiErrorOf(first);
  yield* watchRun(opener(transport, runId), signal === undefined ? {} : { signal }, first);
}

async function* tailLogs(
  transport: Transport,
  { backlog, signal }: CallOptions & { readonly backlog?: number },
): AsyncGenerator<T.LogLine, void> {
  const query = backlog === undefined ? "" : `?backlog=${backlog}`;
  const response = await transport.stream(`/v1/logs${query}`, { signal });
  if (!response.ok) throw await apiErrorOf(response);
  for await (const message of readEvents(response)) yield JSON.parse(message.data) as T.LogLine;
}
