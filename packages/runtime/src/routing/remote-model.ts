/**
 * The model port over all nodes.
 *
 * Y1. A call goes to a node with the service inference that offers the provider and model, this one first where it can;
 *     policy (order, breaker, fallback) is that node's, since it sees its providers.
 * Y2. No key leaves a node: an agent with a key of its own in its file is served where the file is.
 * Y3. What broke off after it had spoken is taken back (`retract`) before anybody else is asked, and that once.
 */
import { AstromeshError, fromErrorRecord, toAstromeshError } from "../core/index.ts";
import type { Clock, ModelPolicy } from "../core/index.ts";
import type { Logger, ModelCall, ModelCallEvent, ModelGateway, Peer } from "../core/ports/index.ts";
import { watchSilence } from "../net/index.ts";
import { peerModelEvent } from "../wire/index.ts";
import type { PeerCalls } from "./peer-calls.ts";
import { readPeerStream, STREAM_SILENCE_MS } from "./peer-stream.ts";
import type { Placements } from "./placements.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Need, Router } from "./router.ts";
import { noService } from "./submit.ts";

/** What routed models work with. */
export interface RoutedModelsDeps {
  /** This node's own models, whether it has the service inference or not (Y2). */
  readonly local: ModelGateway;
  readonly router: Router;
  readonly calls: PeerCalls;
  readonly placements: Placements;
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxAttempts: number;
}

/** How asking one node ended: answered to the end, or why not, and whether anything was said before. */
type Ending = null | { readonly error: AstromeshError; readonly elsewhere: boolean; readonly spoke: boolean };

/** Makes it. */
export function createRoutedModels(deps: RoutedModelsDeps): ModelGateway {
  const { local, router, placements, budget, logger } = deps;
  return {
    async *call(call, signal) {
      if (hasOwnKey(call.policy)) {
        placements.answeredBy(call.runId, router.self.name);
        return yield* local.call(call, signal);
      }
      budget.request();
      const except = new Set<string>();
      let last: AstromeshError | undefined;
      let broke = 0;
      for (let attempt = 1; attempt <= deps.maxAttempts; attempt += 1) {
        const route = router.choose(needOf(call, except));
        if (route === null) break;
        logger.debug("routed a model call", { runId: call.runId, ...route.explain });
        placements.answeredBy(call.runId, route.name);
        if (route.peer === null) return yield* local.call(call, signal);
        const ending = yield* ask(deps, route.peer, call, signal, route.why);
        if (ending === null) return;
        last = ending.error;
        if (ending.spoke) broke += 1;
        if (!ending.elsewhere || broke > 1) break;
        except.add(route.key);
        if (!budget.take()) break;
        if (ending.spoke) yield { type: "retract", reason: last.message };
      }
      throw last ?? noService("inference");
    },
  };
}

/** Y2. */
function hasOwnKey({ candidates }: ModelPolicy): boolean {
  return candidates.some(({ apiKey }) => apiKey !== null);
}

function needOf({ policy }: ModelCall, except: ReadonlySet<string>): Need {
  const models = policy.candidates.map(({ provider, model }) => ({ provider, model }));
  const [first] = models;
  return {
    service: "inference",
    lane: `model:${first?.provider}/${first?.model}`,
    agent: null,
    tags: [],
    models,
    affinity: null,
    storeId: null,
    except,
    via: [],
  };
}

async function* ask(
  { calls, clock }: RoutedModelsDeps,
  peer: Peer,
  call: ModelCall,
  signal: AbortSignal,
  why: string,
): AsyncGenerator<ModelCallEvent, Ending> {
  const silence = watchSilence(clock, signal, STREAM_SILENCE_MS, () => new Error("the stream fell silent"));
  let spoke = false;
  try {
    const opened = await calls.open(peer, {
      path: "/v1/inference/stream",
      body: call,
      principal: null,
      via: [],
      deadlineMs: null,
      traceparent: call.traceparent,
      signal: silence.signal,
      lane: needOf(call, NOTHING).lane,
    });
    if (!opened.ok) {
      const { error, notStarted, unreached } = opened;
      return { error: asModelError(error), elsewhere: notStarted || unreached, spoke };
    }
    const { response, ticket } = opened.value;
    let outcome: "ok" | "error" = "error";
    try {
      for await (const batch of readPeerStream(response.body, silence)) {
        for (const { data } of batch) {
          const event = peerModelEvent.parse(JSON.parse(data));
          if (event.type === "error") {
            outcome = "ok";
            return { error: thrownThere(event), elsewhere: false, spoke: false };
          }
          if (event.type === "text" || event.type === "thinking" || event.type === "tool_call") {
            spoke = true;
            ticket.firstEvent();
          }
          silence.pause();
          yield event.type === "candidate" ? { ...event, why: `${event.why}; on ${peer.name}: ${why}` } : event;
          silence.heard();
          if (event.type === "finish") {
            outcome = "ok";
            return null;
          }
        }
      }
      return broken(calls, peer, null, spoke);
    } finally {
      ticket.end(signal.aborted ? "ok" : outcome);
    }
  } catch (error) {
    signal.throwIfAborted();
    return broken(calls, peer, error, spoke);
  } finally {
    silence.stop();
  }
}

const NOTHING: ReadonlySet<string> = new Set();

function broken(calls: PeerCalls, peer: Peer, cause: unknown, spoke: boolean): Ending {
  const { message } = calls.lost(peer, "broke off a model's answer", cause).error;
  return { error: new AstromeshError("model_stream_broken", message, { cause }), elsewhere: true, spoke };
}

/** To a run, a node that cannot be reached is a model that cannot. */
function asModelError(error: AstromeshError): AstromeshError {
  if (error.code !== "no_service" && error.code !== "draining") return error;
  return new AstromeshError("model_unavailable", error.message, {
    cause: error,
    ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

function thrownThere(event: { error: Parameters<typeof fromErrorRecord>[0]; retryAfterMs: number | null }) {
  const { code, message, retryable, details } = toAstromeshError(fromErrorRecord(event.error));
  const retry = event.retryAfterMs === null ? {} : { retryAfterMs: event.retryAfterMs };
  return new AstromeshError(code, message, { retryable, details, ...retry });
}
