/**
 * Requests to peers, with what every one of them teaches: how busy the peer is, how fast, and whether it is well.
 */
import { AstromeshError } from "../core/index.ts";
import type { Clock, ErrorCode, JsonObject, Principal } from "../core/index.ts";
import type { Peer } from "../core/ports/index.ts";
import { readText, retryAfterMs, watchSilence } from "../net/index.ts";
import type { HttpResponse, PeerAnswer, PeerClient } from "../net/index.ts";
import { errorBody, PEER_HEADERS } from "../wire/index.ts";
import type { ErrorBody } from "../wire/index.ts";
import type { Ticket } from "./load.ts";
import type { Router } from "./router.ts";

/** A request to a peer. */
export interface PeerCallRequest {
  readonly path: string;
  readonly body: object;
  readonly principal: Principal | null;
  /** The nodes that the request came through before this one. */
  readonly via: readonly string[];
  /** How long a whole answer may take, milliseconds; null: as long as it takes. */
  readonly deadlineMs: number | null;
  readonly traceparent: string | null;
  readonly signal: AbortSignal;
  /** What latencies are compared. */
  readonly lane: string;
}

/** Why a peer did not do it. */
export interface PeerFailure {
  readonly ok: false;
  readonly error: AstromeshError;
  /** Nothing was begun: another node may be asked. */
  readonly notStarted: boolean;
  /** No answer came: whether it was begun or not, the node may be gone. */
  readonly unreached: boolean;
}

/** What a peer answered. */
export type PeerResult<T> = { readonly ok: true; readonly value: T } | PeerFailure;

/** An answer that is still to be read. Whoever gets it ends the ticket. */
export interface OpenAnswer {
  readonly response: HttpResponse;
  readonly ticket: Ticket;
}

/** Asks peers. */
export interface PeerCalls {
  /** A whole answer, checked against the schema. Rejects only with the signal's reason. */
  ask<T>(peer: Peer, request: PeerCallRequest, schema: { parse(value: unknown): T }): Promise<PeerResult<T>>;
  /** The head of an answer, its body unread. Rejects only with the signal's reason. */
  open(peer: Peer, request: PeerCallRequest): Promise<PeerResult<OpenAnswer>>;
  /** The peer fell silent or its answer broke off: notes it, and returns what that means for the request. */
  lost(peer: Peer, what: string, cause: unknown): PeerFailure;
}

/** Answers that say that the node itself is at fault. A refusal (429, 503 not started) does not. */
const GATEWAY_ERRORS = new Set([500, 502, 503, 504]);
/** A whole answer is never waited for longer. */
const LONGEST_MS = 600_000;
/** Refusals that are between the two nodes, such as secrets that differ; the client has no part in them. */
const BETWEEN_NODES: ReadonlySet<ErrorCode> = new Set(["unauthorized", "misdirected", "peer_unproven"]);
const MAX_ANSWER_BYTES = 64 * 1_048_576;

/** Makes it. */
export function createPeerCalls(deps: {
  readonly client: PeerClient;
  readonly router: Router;
  readonly clock: Clock;
}): PeerCalls {
  const { client, router, clock } = deps;
  const { self, loads, ejection, view } = router;

  const open = async (peer: Peer, request: PeerCallRequest): Promise<PeerResult<OpenAnswer>> => {
    const { path, body, principal, via, deadlineMs, traceparent, signal, lane } = request;
    const ticket = loads.begin(peer.key, lane);
    let settled = false;
    try {
      const answer = await client.send(peer, {
        path,
        body: JSON.stringify(body),
        principal,
        via: [...via, self.nodeId],
        deadlineMs,
        traceparent,
        signal,
      });
      if (answer.kind === "unreached") return unreached(peer, answer);
      const { response } = answer;
      const depth = Number(response.headers[PEER_HEADERS.modelDepth] ?? response.headers[PEER_HEADERS.depth]);
      if (Number.isFinite(depth)) ticket.depth(depth);
      if (response.status >= 400) return await refused(peer, response);
      ejection.record(peer.key, "ok");
      settled = true;
      return { ok: true, value: { response, ticket } };
    } finally {
      if (!settled) ticket.end(signal.aborted ? "ok" : "error");
    }
  };

  const lost = (peer: Peer, what: string, cause: unknown): PeerFailure => {
    ejection.record(peer.key, "connect_failure");
    view.doubt(peer.key);
    const error = new AstromeshError("no_service", `the node ${peer.name} ${what}`, { cause });
    return { ok: false, error, notStarted: false, unreached: true };
  };

  const unreached = (peer: Peer, answer: Extract<PeerAnswer, { kind: "unreached" }>): PeerFailure => ({
    ...lost(peer, `cannot be reached (${answer.fault})`, answer.error),
    notStarted: !answer.mayHaveBegun,
  });

  const refused = async (peer: Peer, response: HttpResponse): Promise<PeerFailure> => {
    const notStarted = response.headers[PEER_HEADERS.notStarted] !== undefined;
    const error = errorOf(peer, response, await readText(response.body, 1_048_576), clock.now());
    const isFault = !notStarted && GATEWAY_ERRORS.has(response.status);
    ejection.record(peer.key, isFault ? "gateway_error" : "ok");
    // Another node stands at the address now, or this one drains: the view must look.
    if (response.status === 421 || error.code === "draining") view.doubt(peer.key);
    return { ok: false, error, notStarted, unreached: false };
  };

  return {
    open,
    lost,
    async ask(peer, request, schema) {
      const { signal, deadlineMs } = request;
      const limitMs = deadlineMs ?? LONGEST_MS;
      const patience = watchSilence(clock, signal, limitMs, () => new Error(`no answer within ${limitMs} ms`));
      try {
        const opened = await open(peer, { ...request, signal: patience.signal });
        return opened.ok ? { ok: true, value: await readAnswer(opened.value, schema) } : opened;
      } catch (error) {
        signal.throwIfAborted();
        return lost(peer, "does not answer, or broke off its answer", error);
      } finally {
        patience.stop();
      }
    },
  };
}

async function readAnswer<T>({ response, ticket }: OpenAnswer, schema: { parse(value: unknown): T }): Promise<T> {
  let outcome: "ok" | "error" = "error";
  try {
    const value = schema.parse(JSON.parse(await readText(response.body, MAX_ANSWER_BYTES)));
    ticket.firstEvent();
    outcome = "ok";
    return value;
  } finally {
    ticket.end(outcome);
  }
}

/** The error that a node answered with, as if it had been thrown here. */
function errorOf(peer: Peer, response: HttpResponse, text: string, now: number): AstromeshError {
  const body = parseError(text);
  const afterMs = retryAfterMs(response.headers, now);
  const retry = afterMs === null ? {} : { retryAfterMs: afterMs };
  if (body === null || body.code === "internal") {
    const said = body === null ? `HTTP ${response.status}` : body.detail;
    return new AstromeshError("no_service", `the node ${peer.name} failed: ${said}`, retry);
  }
  if (BETWEEN_NODES.has(body.code)) {
    return new AstromeshError("no_service", `the node ${peer.name} refuses this one: ${body.detail}`, retry);
  }
  const { detail, code, errors, run_id, status, stop_reason, details } = body;
  const lifted = Object.entries({ run_id, status, stop_reason }).filter(([, value]) => value !== undefined);
  const facts: JsonObject = {
    ...details,
    ...(errors === undefined ? {} : { errors }),
    ...(Object.fromEntries(lifted) as JsonObject),
  };
  return new AstromeshError(code, detail, { details: facts, ...retry });
}

function parseError(text: string): ErrorBody | null {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
