/**
 * Answers model calls by policy.
 *
 * Invariants.
 * G1 A candidate is repeated only while it has said nothing; after its first piece another one begins, and what was
 *    said is taken back (`retract`). Only when there is no other one the last is asked once more.
 * G2 Every call that is made tells its breaker how it went, also when the consumer leaves.
 * G3 When the signal aborts, the upstream call ends and its reason is thrown; nothing is tried after that.
 */
import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { Clock, ErrorCode, JsonObject, Random } from "../core/index.ts";
import type { Logger, ModelCall, ModelCallEvent, ModelGateway, ProviderRequest } from "../core/ports/index.ts";
import { createRetryBudget, retryDelayMs } from "../net/index.ts";
import type { BackoffOptions, CallOutcome } from "../net/index.ts";
import type { BreakerBoard, WatchedModel } from "./breaker-board.ts";
import { orderCandidates } from "./order-candidates.ts";
import { toUsage } from "./prices.ts";
import type { ModelRegistry, ResolvedCandidate } from "./registry.ts";
import { shownEndpoint } from "./server-errors.ts";

/** What the gateway works with. */
export interface GatewayDeps {
  /** The registry of now; a call keeps the one that it began with. */
  readonly registry: () => ModelRegistry;
  readonly breakers: BreakerBoard;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How persistent it is. */
export interface GatewayOptions extends BackoffOptions {
  /** Repetitions of one candidate before its first token. */
  readonly retries: number;
  /** Repetitions within one run, whatever it calls. */
  readonly retriesPerRun: number;
}

const DEFAULTS: GatewayOptions = {
  retries: 2,
  retriesPerRun: 20,
  baseMs: 200,
  capMs: 5_000,
  retryAfterCapMs: 10_000,
};

/** What repeating can mend. Not `model_timeout`: the candidate has had all the time that it was given. */
const WORTH_REPEATING: ReadonlySet<ErrorCode> = new Set([
  "model_unavailable",
  "model_rate_limited",
  "model_bad_response",
  "model_stream_broken",
]);

/** What says that the model is unwell. A refusal does not, nor does a limit on the rate of requests. */
const COUNTS_AS_FAILURE: ReadonlySet<ErrorCode> = new Set([
  "model_unavailable",
  "model_timeout",
  "model_bad_response",
  "model_stream_broken",
]);

/** One call on its way through the candidates. */
interface Passage {
  readonly deps: GatewayDeps;
  readonly options: GatewayOptions;
  readonly registry: ModelRegistry;
  readonly call: ModelCall;
  readonly signal: AbortSignal;
  readonly attempts: JsonObject[];
  readonly mayRepeat: () => boolean;
}

/** How one attempt ended. */
type Attempt = { readonly ok: true } | { readonly ok: false; readonly error: AstromeshError; readonly spoke: boolean };

/** The gateway of a node. */
export function createModelGateway(deps: GatewayDeps, overrides: Partial<GatewayOptions> = {}): ModelGateway {
  const options = { ...DEFAULTS, ...overrides };
  const budget = createRetryBudget(options.retriesPerRun);
  const turns = new Map<string, number>();
  return {
    call(call, signal) {
      const registry = deps.registry();
      const turn = turns.get(call.agent) ?? 0;
      if (call.policy.strategy === "round_robin") turns.set(call.agent, turn + 1);
      const mayRepeat = (): boolean => budget.take(call.runId);
      return passThrough({ deps, options, registry, call, signal, attempts: [], mayRepeat }, turn);
    },
  };
}

async function* passThrough(passage: Passage, turn: number): AsyncGenerator<ModelCallEvent> {
  const { registry, call, signal } = passage;
  const candidates = orderCandidates(call.policy, {
    turn,
    costOf: ({ provider, model }) => {
      const price = registry.priceOf(provider, model);
      return price === null ? null : price.inputUsdPerMillion + price.outputUsdPerMillion;
    },
  });
  let failure = new AstromeshError("model_unavailable", `The agent ${call.agent} names no model to ask.`);
  let why = candidates.length === 1 ? "the only candidate" : "the first candidate";
  for (const [index, candidate] of candidates.entries()) {
    signal.throwIfAborted();
    try {
      const ready = await registry.resolve(candidate, signal);
      const isLast = index === candidates.length - 1;
      const failed = yield* askCandidate(passage, ready, why, isLast);
      if (failed === null) return;
      failure = failed;
    } catch (error) {
      signal.throwIfAborted();
      failure = toAstromeshError(error);
      const endpoint = candidate.endpoint === null ? null : shownEndpoint(candidate.endpoint);
      note(passage, { ...candidate, endpoint, durationMs: 0 }, failure);
    }
    why = `fallback after ${failure.code} of ${candidate.provider}/${candidate.model}`;
  }
  throw withAttempts(failure, passage.attempts);
}

/** Asks one candidate, again where that makes sense. Returns null when it answered, else its last error. */
async function* askCandidate(
  passage: Passage,
  ready: ResolvedCandidate,
  why: string,
  isLast: boolean,
): AsyncGenerator<ModelCallEvent, AstromeshError | null> {
  const { deps, options, signal } = passage;
  let reason = ready.why === null ? why : `${ready.why}; ${why}`;
  let begunAnew = false;
  for (let attempt = 1; ; attempt += 1) {
    const result = yield* attemptOnce(passage, ready, reason);
    if (result.ok) return null;
    const { error, spoke } = result;
    const again = spoke ? isLast && !begunAnew : attempt <= options.retries;
    if (!again || !error.retryable || !WORTH_REPEATING.has(error.code)) return error;
    begunAnew ||= spoke;
    const delayMs = retryDelayMs(attempt, error.retryAfterMs, options, deps.random);
    if (delayMs === null || !passage.mayRepeat()) return error;
    if (delayMs > 0) await deps.clock.sleep(delayMs, signal);
    reason = `repetition ${attempt} after ${error.code}`;
  }
}

async function* attemptOnce(
  passage: Passage,
  ready: ResolvedCandidate,
  why: string,
): AsyncGenerator<ModelCallEvent, Attempt> {
  const { deps, signal } = passage;
  const { provider, model, endpoint } = ready;
  const startedAt = deps.clock.monotonic();
  const watched = deps.breakers.watch({ provider: provider.name, model, endpoint });
  const fail = (error: AstromeshError, spoke: boolean): Attempt => {
    note(passage, { provider: provider.name, model, endpoint, durationMs: deps.clock.monotonic() - startedAt }, error);
    return { ok: false, error, spoke };
  };
  const permit = watched.breaker.acquire();
  if (permit === null) return fail(resting(ready, watched), false);

  let outcome: CallOutcome = "neutral";
  let spoke = false;
  try {
    yield { type: "candidate", provider: provider.name, model, why };
    for await (const event of provider.stream(toRequest(passage.call, ready), signal)) {
      if (event.type !== "finish") {
        spoke = true;
        yield event;
        continue;
      }
      outcome = "success";
      const usage = toUsage(event.usage, passage.registry.priceOf(provider.name, model));
      yield { type: "finish", reason: event.reason, usage, provider: provider.name, model };
      return { ok: true };
    }
    throw new AstromeshError("model_stream_broken", `${provider.name}/${model} ended without its end mark.`);
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toAstromeshError(thrown);
    if (COUNTS_AS_FAILURE.has(error.code)) {
      outcome = "failure";
      watched.lastFailure = error.message;
    }
    if (spoke) yield { type: "retract", reason: error.message };
    return fail(error, spoke);
  } finally {
    await permit.settle(outcome);
  }
}

function toRequest(call: ModelCall, ready: ResolvedCandidate): ProviderRequest {
  const { messages, tools, outputSchema, idempotencyKey, traceparent } = call;
  const { model, parameters, timeoutMs } = ready;
  return { model, messages, tools, parameters, outputSchema, timeoutMs, idempotencyKey, traceparent };
}

function resting({ provider, model }: ResolvedCandidate, watched: WatchedModel): AstromeshError {
  const leftMs = watched.breaker.restLeftMs();
  const left = leftMs > 0 ? `for another ${Math.ceil(leftMs / 1_000)} s` : "until a probe comes back";
  const last = watched.lastFailure === null ? "" : ` The last failure: ${watched.lastFailure}`;
  const text = `${provider.name}/${model} failed repeatedly and is rested ${left}.${last}`;
  return new AstromeshError("model_circuit_open", text, leftMs > 0 ? { retryAfterMs: leftMs } : {});
}

function note(
  passage: Passage,
  attempt: {
    readonly provider: string;
    readonly model: string;
    readonly endpoint: string | null;
    readonly durationMs: number;
  },
  error: AstromeshError,
): void {
  const { provider, model, endpoint } = attempt;
  const { code, message } = error;
  const durationMs = Math.round(attempt.durationMs);
  passage.attempts.push({ provider, model, endpoint, code, message, durationMs });
  passage.deps.logger.warn("model attempt failed", { provider, model, code, message, runId: passage.call.runId });
}

function withAttempts(error: AstromeshError, attempts: readonly JsonObject[]): AstromeshError {
  return new AstromeshError(error.code, error.message, {
    cause: error,
    details: { ...error.details, attempts },
    retryable: error.retryable,
    ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
