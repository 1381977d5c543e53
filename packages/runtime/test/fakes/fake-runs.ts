import { AstromeshError, createIds, hasScope, isEnded, isFinal } from "../../src/core/index.ts";
import type { Clock, ErrorRecord, Principal, Run, RunEvent, StreamEvent } from "../../src/core/index.ts";
import type { JournalRecord, Runs, SubmitRequest, TimelineSpan } from "../../src/core/ports/index.ts";
import { fakeRun } from "./run.ts";

/** A signal that was sent to a run. */
export interface SentSignal {
  readonly runId: string;
  readonly principalId: string;
  readonly name: string;
  readonly payload: unknown;
  readonly signalId: string | null;
}

/** Runs in memory, whose life the test plays by hand. */
export interface FakeRuns extends Runs {
  readonly submitted: SubmitRequest[];
  readonly signals: SentSignal[];
  readonly cancelled: string[];
  /** Readers of event streams that are open now. */
  readonly readers: number;
  /** Makes the next `submit` reject. */
  refuseNext(error: Error): void;
  /** What each new run does by itself, right after it was created. Null: nothing. */
  script(play: ((runId: string) => void) | null): void;
  /** Changes the run's row; waiters look again. */
  patch(runId: string, parts: Partial<Run>): void;
  /** Says an event in the run's current attempt. */
  emit(runId: string, event: RunEvent): void;
  /** Completes the run: its row and its `done` event. */
  complete(runId: string, response: string, parts?: Partial<Run>): void;
  fail(runId: string, error: ErrorRecord, parts?: Partial<Run>): void;
  park(runId: string, parts: Partial<Run>): void;
  /** The owner died after `durableOffset` was written; the next attempt says what is void. */
  takeOver(runId: string, durableOffset: number): void;
  journalOf(runId: string, records: readonly JournalRecord[]): void;
  timelineOf(traceId: string, spans: readonly TimelineSpan[]): void;
}

interface Entry {
  run: Run;
  events: StreamEvent[];
  journal: readonly JournalRecord[];
}

/** Makes a `Runs` over nothing. It knows the agents of `options.agents`, or any when none are given. */
export function createFakeRuns(
  deps: { readonly clock: Clock },
  options: { readonly agents?: readonly string[] } = {},
): FakeRuns {
  const { clock } = deps;
  const ids = createIds(() => clock.now(), Math.random);
  const entries = new Map<string, Entry>();
  const byKey = new Map<string, { readonly runId: string; readonly bodyDigest: string }>();
  const spans = new Map<string, readonly TimelineSpan[]>();
  const watchers = new Set<() => void>();
  const submitted: SubmitRequest[] = [];
  const signals: SentSignal[] = [];
  const cancelled: string[] = [];
  let refusal: Error | null = null;
  let play: ((runId: string) => void) | null = null;
  let readers = 0;

  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const entryOf = (runId: string): Entry => {
    const entry = entries.get(runId);
    if (entry === undefined) throw new AstromeshError("run_not_found", `no run ${runId}`);
    return entry;
  };
  const visible = (runId: string, principal: Principal): Entry => {
    const entry = entryOf(runId);
    if (entry.run.principalId === principal.id || hasScope(principal, "admin")) return entry;
    throw new AstromeshError("run_not_found", `no run ${runId}`);
  };
  /** Resolves at the next change, or when the signal aborts. */
  const change = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        watchers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      watchers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      if (signal.aborted) wake();
    });
  const push = (entry: Entry, event: RunEvent): void => {
    const offset = (entry.events.at(-1)?.offset ?? 0) + 1;
    entry.events.push({ runId: entry.run.runId, attempt: entry.run.attempt, offset, at: clock.now(), event });
  };
  const update = (runId: string, parts: Partial<Run>, event?: RunEvent): void => {
    const entry = entryOf(runId);
    entry.run = { ...entry.run, ...parts };
    if (event !== undefined) push(entry, event);
    changed();
  };

  const create = (request: SubmitRequest): Entry => {
    if (options.agents !== undefined && !options.agents.includes(request.agent)) {
      throw new AstromeshError("agent_not_found", `no agent named ${request.agent}`);
    }
    const sessionId = request.sessionId ?? ids.session();
    const busy = [...entries.values()].find(({ run }) => run.sessionId === sessionId && !isEnded(run.status));
    if (busy !== undefined) {
      throw new AstromeshError("session_busy", "the session has a run going", { details: { run_id: busy.run.runId } });
    }
    const runId = ids.run();
    const trace = request.traceparent?.split("-");
    const run = fakeRun({
      runId,
      agent: request.agent,
      principalId: request.principal.id,
      sessionId,
      traceId: trace?.[1] ?? ids.trace(),
      parentSpanId: trace?.[2] ?? null,
      status: "running",
      attempt: 1,
      input: request.input,
      createdAt: clock.now(),
      startedAt: clock.now(),
    });
    const entry: Entry = { run, events: [], journal: [] };
    entries.set(runId, entry);
    push(entry, { type: "run.started", attempt: 1, agent: request.agent });
    return entry;
  };

  return {
    submitted,
    signals,
    cancelled,
    get readers() {
      return readers;
    },
    refuseNext(error) {
      refusal = error;
    },
    script(given) {
      play = given;
    },
    patch: (runId, parts) => update(runId, parts),
    emit: (runId, event) => update(runId, {}, event),
    complete(runId, response, parts = {}) {
      const ended = { status: "completed", stopReason: "end", endedAt: clock.now(), ...parts } as const;
      const { usage } = { ...entryOf(runId).run, ...parts };
      update(
        runId,
        { response, model: "fake", provider: "scripted", ...ended },
        { type: "done", status: ended.status, stopReason: ended.stopReason ?? "end", response, usage },
      );
    },
    fail(runId, error, parts = {}) {
      const ended = { status: "failed", stopReason: "error", error, endedAt: clock.now(), ...parts } as const;
      update(runId, ended, { type: "error", error });
    },
    park(runId, parts) {
      const { waitReason, wakeAt } = { ...entryOf(runId).run, ...parts };
      update(
        runId,
        { ...parts, status: "waiting" },
        { type: "waiting", reason: waitReason ?? "signal", until: wakeAt },
      );
    },
    takeOver(runId, durableOffset) {
      const entry = entryOf(runId);
      entry.events = entry.events.filter(({ offset }) => offset <= durableOffset);
      update(
        runId,
        { attempt: entry.run.attempt + 1 },
        { type: "retract", to: durableOffset, reason: "the owner died" },
      );
    },
    journalOf(runId, records) {
      entryOf(runId).journal = records;
    },
    timelineOf(traceId, given) {
      spans.set(traceId, given);
    },

    submit: async (request) => {
      submitted.push(request);
      if (refusal !== null) {
        const error = refusal;
        refusal = null;
        throw error;
      }
      const key = request.idempotency === null ? null : `${request.principal.id} ${request.idempotency.key}`;
      const before = key === null ? undefined : byKey.get(key);
      if (before !== undefined) {
        if (before.bodyDigest !== request.idempotency?.bodyDigest) {
          throw new AstromeshError("idempotency_key_reused", "the key was used with another body");
        }
        return { run: entryOf(before.runId).run, created: false };
      }
      const entry = create(request);
      const { runId } = entry.run;
      if (key !== null && request.idempotency !== null) {
        byKey.set(key, { runId, bodyDigest: request.idempotency.bodyDigest });
      }
      play?.(runId);
      return { run: entry.run, created: true };
    },
    get: async (runId, principal) => visible(runId, principal).run,
    list: async (filter, principal) =>
      [...entries.values()]
        .map(({ run }) => run)
        .filter((run) => run.principalId === principal.id || hasScope(principal, "admin"))
        .filter((run) => filter.agent === undefined || run.agent === filter.agent)
        .filter((run) => filter.status === undefined || run.status === filter.status)
        .filter((run) => filter.sessionId === undefined || run.sessionId === filter.sessionId)
        .filter((run) => filter.before === undefined || run.runId < filter.before)
        .toSorted((a, b) => (a.runId < b.runId ? 1 : -1))
        .slice(0, filter.limit),
    journal: async (runId, principal) => visible(runId, principal).journal,
    async *events(runId, principal, after, signal) {
      visible(runId, principal);
      readers += 1;
      try {
        const { run, events } = entryOf(runId);
        const retract = events.findLast(({ event }) => event.type === "retract");
        const dead =
          after !== null && after.attempt < run.attempt && retract !== undefined && after.offset >= retract.offset;
        let last = after === null ? 0 : dead ? retract.offset - 1 : after.offset;
        while (!signal.aborted) {
          const next = entryOf(runId).events.find(({ offset }) => offset > last);
          if (next !== undefined) {
            last = next.offset;
            yield next;
            if (isFinal(next.event)) return;
          } else if (isEnded(entryOf(runId).run.status)) {
            return;
          } else {
            await change(signal);
          }
        }
      } finally {
        readers -= 1;
      }
    },
    settled: async (runId, principal, timeoutMs, signal) => {
      visible(runId, principal);
      const over = new AbortController();
      const stop = AbortSignal.any([signal, over.signal]);
      if (timeoutMs === 0) over.abort();
      else
        void clock.sleep(timeoutMs, stop).then(
          () => over.abort(),
          () => undefined,
        );
      for (;;) {
        const { run } = entryOf(runId);
        if (isEnded(run.status) || run.status === "waiting" || over.signal.aborted) {
          over.abort();
          return run;
        }
        signal.throwIfAborted();
        await change(stop);
      }
    },
    timeline: async (traceId, principal) => {
      const runs = [...entries.values()]
        .map(({ run }) => run)
        .filter((run) => run.traceId === traceId)
        .filter((run) => run.principalId === principal.id || hasScope(principal, "admin"));
      if (runs.length === 0) throw new AstromeshError("run_not_found", `no run of trace ${traceId}`);
      return { traceId, runs, spans: spans.get(traceId) ?? [] };
    },
    cancel: async (runId, principal) => {
      const { run } = visible(runId, principal);
      if (run.status === "cancelled") return run;
      if (isEnded(run.status)) throw new AstromeshError("run_ended", `the run has ended: ${run.status}`);
      cancelled.push(runId);
      const ended = { status: "cancelled", stopReason: "cancelled", endedAt: clock.now() } as const;
      update(runId, ended, { type: "done", ...ended, response: "", usage: run.usage });
      return entryOf(runId).run;
    },
    signal: async (runId, principal, sent) => {
      const { run } = visible(runId, principal);
      if (isEnded(run.status)) throw new AstromeshError("run_ended", `the run has ended: ${run.status}`);
      signals.push({ runId, principalId: principal.id, ...sent });
      return run;
    },
  };
}
