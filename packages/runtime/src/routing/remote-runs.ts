/** Runs on one peer: each call of the port as a request between nodes. */
import { isFinal } from "../core/index.ts";
import type { Clock, Principal, Run, StreamEvent } from "../core/index.ts";
import type { JournalRecord, Peer, RunFilter, Submitted, SubmitRequest, Timeline } from "../core/ports/index.ts";
import { watchSilence } from "../net/index.ts";
import {
  peerJournal,
  peerRunAnswer,
  peerRunList,
  peerSubmitted,
  peerTimeline,
  streamEventFromPeer,
} from "../wire/index.ts";
import type { PeerCallRequest, PeerCalls, PeerFailure, PeerResult } from "./peer-calls.ts";
import { readPeerStream, STREAM_SILENCE_MS } from "./peer-stream.ts";

/** On whose behalf, through whom, and until when. */
export interface CallScope {
  readonly principal: Principal;
  readonly via: readonly string[];
  readonly signal: AbortSignal;
}

/** A run on a peer, and the node whose model answered it last, as far as the peer knows. */
export interface RemoteRun {
  readonly run: Run;
  readonly inferenceNode: string | null;
}

/** A client's place in a stream. */
export type StreamPlaceAfter = { readonly attempt: number; readonly offset: number } | null;

/** Asks a peer about runs. */
export interface RemoteRuns {
  submit(peer: Peer, request: SubmitRequest, scope: CallScope): Promise<PeerResult<Submitted>>;
  get(peer: Peer, runId: string, scope: CallScope): Promise<PeerResult<RemoteRun>>;
  list(peer: Peer, filter: RunFilter, scope: CallScope): Promise<PeerResult<readonly Run[]>>;
  journal(peer: Peer, runId: string, scope: CallScope): Promise<PeerResult<readonly JournalRecord[]>>;
  timeline(peer: Peer, traceId: string, scope: CallScope): Promise<PeerResult<Timeline>>;
  cancel(peer: Peer, runId: string, scope: CallScope): Promise<PeerResult<RemoteRun>>;
  signal(
    peer: Peer,
    runId: string,
    sent: { readonly name: string; readonly payload: unknown; readonly signalId: string },
    scope: CallScope,
  ): Promise<PeerResult<RemoteRun>>;
  settled(peer: Peer, runId: string, timeoutMs: number, scope: CallScope): Promise<PeerResult<RemoteRun>>;
  /** Yields events; returns null at the stream's own end, else why it broke. */
  events(
    peer: Peer,
    runId: string,
    after: StreamPlaceAfter,
    scope: CallScope,
  ): AsyncGenerator<StreamEvent, PeerFailure | null>;
}

/** A request that a healthy node answers at once. A stopped process takes connections and never answers. */
const ANSWER_MS = 10_000;
/** A submit may wait for its session to be free (runs.session_wait, 10 s) before it is refused. */
const SUBMIT_MS = 30_000;

/** Makes it. */
export function createRemoteRuns(calls: PeerCalls, clock: Clock): RemoteRuns {
  const request = (path: string, body: object, scope: CallScope, deadlineMs: number | null): PeerCallRequest => ({
    ...scope,
    path: `/v1/peer/runs/${path}`,
    body,
    deadlineMs,
    traceparent: null,
    lane: path,
  });
  const ask = <T>(peer: Peer, path: string, body: object, scope: CallScope, schema: { parse(value: unknown): T }) =>
    calls.ask(peer, request(path, body, scope, ANSWER_MS), schema);

  return {
    submit(peer, { agent, input, sessionId, idempotency, traceparent }, scope) {
      const body = { agent, input, sessionId, idempotency, traceparent };
      const call = { ...request("submit", body, scope, SUBMIT_MS), traceparent, lane: `agent:${agent}` };
      return calls.ask(peer, call, peerSubmitted);
    },
    get: (peer, runId, scope) => ask(peer, "get", { runId }, scope, peerRunAnswer),
    list: async (peer, filter, scope) => map(await ask(peer, "list", filter, scope, peerRunList), ({ runs }) => runs),
    journal: async (peer, runId, scope) =>
      map(await ask(peer, "journal", { runId }, scope, peerJournal), ({ records }) => records),
    timeline: (peer, traceId, scope) => ask(peer, "timeline", { traceId }, scope, peerTimeline),
    cancel: (peer, runId, scope) => ask(peer, "cancel", { runId }, scope, peerRunAnswer),
    signal: (peer, runId, sent, scope) => ask(peer, "signal", { runId, ...sent }, scope, peerRunAnswer),
    settled: (peer, runId, timeoutMs, scope) =>
      calls.ask(peer, request("settled", { runId, timeoutMs }, scope, timeoutMs + ANSWER_MS), peerRunAnswer),
    async *events(peer, runId, after, scope) {
      const silence = watchSilence(clock, scope.signal, STREAM_SILENCE_MS, () => new Error("the stream fell silent"));
      try {
        const call = { ...request("events", { runId, after }, scope, null), signal: silence.signal };
        const opened = await calls.open(peer, call);
        if (!opened.ok) return opened;
        const { response, ticket } = opened.value;
        try {
          for await (const batch of readPeerStream(response.body, silence)) {
            ticket.firstEvent();
            for (const { event, data } of batch) {
              if (event === "end") return null;
              const item = streamEventFromPeer(runId, data);
              silence.pause();
              yield item;
              silence.heard();
              if (isFinal(item.event)) return null;
            }
          }
          return calls.lost(peer, "broke off a stream", null);
        } finally {
          ticket.end("ok");
        }
      } catch (error) {
        scope.signal.throwIfAborted();
        return calls.lost(peer, "broke off a stream", error);
      } finally {
        silence.stop();
      }
    },
  };
}

function map<A, B>(result: PeerResult<A>, to: (value: A) => B): PeerResult<B> {
  return result.ok ? { ok: true, value: to(result.value) } : result;
}
