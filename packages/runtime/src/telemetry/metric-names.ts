import { GENAI, SEMCONV } from "./genai.ts";

/**
 * - `counter`: grows.
 * - `timer`: a histogram of durations, told in milliseconds, kept in seconds.
 * - `histogram`: of anything else.
 * - `observed`: read when somebody asks.
 */
export type MetricKind = "counter" | "timer" | "histogram" | "observed";

/** One metric: its name, unit (UCUM) and meaning, and the labels that each of its values carries. */
export interface MetricSpec {
  readonly name: string;
  readonly kind: MetricKind;
  readonly unit: string;
  readonly help: string;
  /** Values come from closed sets only: agents, models, tools, routes, statuses. Never ids, never text of clients. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly buckets?: readonly number[];
}

/** Bounds that the conventions advise for GenAI operations, HTTP servers, first tokens and token counts. */
const OPERATION_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const FIRST_TOKEN_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];
const RUN_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

const MODEL_LABELS = [GENAI.operation, GENAI.provider, GENAI.requestModel] as const;

/**
 * Every metric of the product. Names follow OpenTelemetry; where a convention names the thing, its name is used. In
 * Prometheus text dots become underscores and the unit is appended: `astromesh_run_duration_seconds`.
 */
export const METRICS = {
  httpDuration: {
    name: "http.server.request.duration",
    kind: "timer",
    unit: "s",
    help: "HTTP requests answered, by the time until their headers were ready; streams go on.",
    labels: [SEMCONV.httpMethod, SEMCONV.httpRoute, SEMCONV.httpStatus],
    buckets: HTTP_SECONDS,
  },
  runsActive: {
    name: "astromesh.runs.active",
    kind: "observed",
    unit: "{run}",
    help: "Runs that this node works on now.",
    labels: [],
  },
  runsStored: {
    name: "astromesh.runs.stored",
    kind: "observed",
    unit: "{run}",
    help: "Runs in the store, by status; queued ones wait for a free place.",
    labels: ["status"],
  },
  runsStarted: {
    name: "astromesh.runs.started",
    kind: "counter",
    unit: "{run}",
    help: "Runs written down by this node.",
    labels: ["agent"],
  },
  runsEnded: {
    name: "astromesh.runs.ended",
    kind: "counter",
    unit: "{run}",
    help: "Runs that ended on this node, by agent, status and reason.",
    labels: ["agent", "status", "stop_reason"],
  },
  runDuration: {
    name: "astromesh.run.duration",
    kind: "timer",
    unit: "s",
    help: "Time from a run's creation to its end, waiting included.",
    labels: ["agent", "status"],
    buckets: RUN_SECONDS,
  },
  modelDuration: {
    name: "gen_ai.client.operation.duration",
    kind: "timer",
    unit: "s",
    help: "Model calls, by the time they took; error.type is empty for those that succeeded.",
    labels: [...MODEL_LABELS, SEMCONV.errorType],
    buckets: OPERATION_SECONDS,
  },
  modelFirstToken: {
    name: "gen_ai.client.operation.time_to_first_chunk",
    kind: "timer",
    unit: "s",
    help: "Time until the first piece of a model's answer.",
    labels: MODEL_LABELS,
    buckets: FIRST_TOKEN_SECONDS,
  },
  modelTokens: {
    name: "gen_ai.client.token.usage",
    kind: "histogram",
    unit: "{token}",
    help: "Tokens of a model call, by type: input or output.",
    labels: [...MODEL_LABELS, GENAI.tokenType],
    buckets: TOKENS,
  },
  modelCost: {
    name: "astromesh.model.cost",
    kind: "counter",
    unit: "USD",
    help: "United States dollars spent on model calls, by the price table.",
    labels: [GENAI.provider, GENAI.requestModel],
  },
  breakerState: {
    name: "astromesh.model.breaker",
    kind: "observed",
    unit: "1",
    help: "State of a provider's breaker: 0 closed, 1 half open, 2 open.",
    labels: [GENAI.provider],
  },
  toolDuration: {
    name: "astromesh.tool.duration",
    kind: "timer",
    unit: "s",
    help: "Tool calls, by the time they took; error.type is empty for those that succeeded.",
    labels: [GENAI.toolName, SEMCONV.errorType],
    buckets: OPERATION_SECONDS,
  },
  leaseAge: {
    name: "astromesh.lease.age",
    kind: "observed",
    unit: "s",
    help: "Age of the oldest lease of this node at its last renewal; leases end at 15 s.",
    labels: [],
  },
  attemptsLost: {
    name: "astromesh.attempts.lost",
    kind: "counter",
    unit: "{attempt}",
    help: "Attempts that stopped because their lease or their store was lost, by error code.",
    labels: ["code"],
  },
  runsRefused: {
    name: "astromesh.runs.refused",
    kind: "counter",
    unit: "{run}",
    help: "Requests for runs that were refused, by error code.",
    labels: ["code"],
  },
  takeovers: {
    name: "astromesh.runs.takeovers",
    kind: "counter",
    unit: "{run}",
    help: "Runs that this node resumed after an attempt that did not finish.",
    labels: [],
  },
  ambiguous: {
    name: "astromesh.effects.ambiguous",
    kind: "counter",
    unit: "{effect}",
    help: "Effects of class once whose outcome a crash hid.",
    labels: [],
  },
  parked: {
    name: "astromesh.runs.parked",
    kind: "counter",
    unit: "{run}",
    help: "Runs that began to wait, by what they wait for.",
    labels: ["reason"],
  },
  quarantined: {
    name: "astromesh.runs.quarantined",
    kind: "counter",
    unit: "{run}",
    help: "Runs ended as poison: resumed too often without progress.",
    labels: [],
  },
  replayMismatches: {
    name: "astromesh.replay.mismatches",
    kind: "counter",
    unit: "{run}",
    help: "Replays that asked for something else than the journal holds.",
    labels: [],
  },
  agentsLoaded: {
    name: "astromesh.agents.loaded",
    kind: "observed",
    unit: "{agent}",
    help: "Agents that can be run.",
    labels: [],
  },
  agentsRejected: {
    name: "astromesh.agents.rejected",
    kind: "observed",
    unit: "{agent}",
    help: "Agent files that did not load.",
    labels: [],
  },
  reloads: {
    name: "astromesh.reloads",
    kind: "counter",
    unit: "{reload}",
    help: "Reloads of the configuration, by outcome: applied or refused.",
    labels: ["outcome"],
  },
  loopEnds: {
    name: "astromesh.loops.ends",
    kind: "counter",
    unit: "{end}",
    help: "Ends of supervised loops, by outcome: stopped, restarted or escalated.",
    labels: ["loop", "outcome"],
  },
  storeReady: {
    name: "astromesh.store.ready",
    kind: "observed",
    unit: "1",
    help: "Whether the database serves: 1 yes, 0 no.",
    labels: [],
  },
  loopDelay: {
    name: "nodejs.eventloop.delay",
    kind: "observed",
    unit: "s",
    help: "How late timers fired within the last window, by quantile (p50, p99, max).",
    labels: ["quantile"],
  },
  loopUtilization: {
    name: "nodejs.eventloop.utilization",
    kind: "observed",
    unit: "1",
    help: "Share of the last window that the main thread was busy.",
    labels: [],
  },
  processMemory: {
    name: "process.memory.usage",
    kind: "observed",
    unit: "By",
    help: "Resident memory of the process.",
    labels: [],
  },
  processCpu: {
    name: "process.cpu.time",
    kind: "observed",
    unit: "s",
    help: "Processor time used by the process, by mode: user or system.",
    labels: ["cpu.mode"],
  },
  processUptime: {
    name: "process.uptime",
    kind: "observed",
    unit: "s",
    help: "Time since the process started.",
    labels: [],
  },
  buildInfo: {
    name: "astromesh.build.info",
    kind: "observed",
    unit: "1",
    help: "Always 1; the labels say what runs.",
    labels: ["version", "node_version"],
  },
} as const satisfies Record<string, MetricSpec>;
