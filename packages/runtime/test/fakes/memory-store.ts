import { AstromeshError, isEnded } from "../../src/core/index.ts";
import type { Json, Message, PinnedDefinition, Run, RunStatus, StreamEvent } from "../../src/core/index.ts";
import type {
  CreateOutcome,
  EffectKey,
  JournalRecord,
  RunChange,
  RunCreate,
  RunFilter,
  RunGuard,
  RunSignal,
  RunStore,
} from "../../src/core/ports/index.ts";

interface Kept {
  run: Run;
  readonly exclusive: boolean;
  readonly journal: JournalRecord[];
  readonly threads: Map<string, Map<number, Message>>;
  stream: StreamEvent[];
  readonly signals: { readonly signal: RunSignal; consumed: boolean }[];
}

interface KeyEntry {
  readonly runId: string;
  readonly position: string;
  readonly expiresAt: number;
  result: Json | undefined;
}

/** Values go in and out as copies: nobody can change what is kept. */
const copy = <Value>(value: Value): Value => structuredClone(value);
const isLive = (run: Run): boolean => !isEnded(run.status);
const byCreation = (a: Run, b: Run): number => a.createdAt - b.createdAt || (a.runId < b.runId ? -1 : 1);

/**
 * The run store in plain data: the reference that the databases are compared with, and a fast store for tests of
 * others. Every method is one step without waiting, so nothing races.
 */
export function createMemoryRunStore(now: () => number): RunStore {
  const runs = new Map<string, Kept>();
  const definitions = new Map<string, { readonly pinned: PinnedDefinition; usedAt: number }>();
  const idempotency = new Map<string, { runId: string; bodyDigest: string; expiresAt: number }>();
  const effectKeys = new Map<string, KeyEntry>();
  const keyOf = ({ tool, principalId, key }: EffectKey): string => JSON.stringify([tool, principalId, key]);
  const all = (): Run[] => [...runs.values()].map(({ run }) => run);

  function held({ runId, ownerNodeId, epoch }: RunGuard): Kept {
    const kept = runs.get(runId);
    if (kept === undefined || kept.run.ownerNodeId !== ownerNodeId || kept.run.epoch !== epoch) {
      throw new AstromeshError("stale_epoch", `Run ${runId} is no longer held.`);
    }
    return kept;
  }

  function create({ run, definition, idempotency: asked, exclusiveSession }: RunCreate): CreateOutcome {
    const key = JSON.stringify([run.principalId, asked?.key]);
    const known = asked === null ? undefined : idempotency.get(key);
    if (asked !== null && known !== undefined && known.expiresAt > run.createdAt) {
      return known.bodyDigest === asked.bodyDigest ? { kind: "existing", runId: known.runId } : { kind: "key_reused" };
    }
    idempotency.delete(key);
    if (runs.has(run.runId)) return { kind: "existing", runId: run.runId };
    const rival = [...runs.values()].find(
      (other) =>
        other.exclusive &&
        isLive(other.run) &&
        other.run.principalId === run.principalId &&
        other.run.agent === run.agent &&
        other.run.sessionId === run.sessionId,
    );
    if (exclusiveSession && rival !== undefined) return { kind: "session_busy", runId: rival.run.runId };
    if (asked !== null) idempotency.set(key, { ...asked, runId: run.runId });
    definitions.set(definition.digest, { pinned: copy(definition), usedAt: run.createdAt });
    runs.set(run.runId, {
      run: copy(run),
      exclusive: exclusiveSession,
      journal: [],
      threads: new Map(),
      stream: [],
      signals: [],
    });
    return { kind: "created" };
  }

  function append(guard: RunGuard, change: RunChange): number {
    const kept = held(guard);
    const { records = [], messages = [], patch = {}, stream = [], consumeSignals = [] } = change;
    const places = [...kept.journal, ...records].map((at) => `${at.segment} ${at.position} ${at.phase}`);
    if (new Set(places).size < places.length) {
      throw new AstromeshError("journal_mismatch", "Another record is at this place.");
    }
    for (const record of records) kept.journal.push({ ...copy(record), seq: kept.journal.length + 1 });
    for (const { thread, index, message } of messages) {
      const messagesOfThread = kept.threads.get(thread) ?? new Map<number, Message>();
      kept.threads.set(thread, messagesOfThread.set(index, copy(message)));
    }
    kept.stream.push(...copy(stream));
    for (const entry of kept.signals) {
      if (consumeSignals.includes(entry.signal.signalId)) entry.consumed = true;
    }
    const { completeEffectKey } = change;
    const key = completeEffectKey === undefined ? undefined : effectKeys.get(keyOf(completeEffectKey));
    if (key?.runId === guard.runId) key.result = copy(completeEffectKey?.result);

    const leaves = patch.status !== undefined && patch.status !== "running";
    kept.run = {
      ...kept.run,
      ...copy(patch),
      ...(leaves ? { ownerNodeId: null, leaseUntil: null } : {}),
      headSeq: kept.journal.length,
    };
    const isCalled = kept.signals.some(
      ({ signal, consumed }) => !consumed && (change.unlessSignalled ?? []).includes(signal.name),
    );
    if (patch.status === "waiting" && (isCalled || kept.run.cancelRequestedAt !== null)) {
      kept.run = { ...kept.run, status: "queued" };
    }
    return kept.run.headSeq;
  }

  return {
    create: async (request) => create(request),
    get: async (runId) => copy(runs.get(runId)?.run ?? null),
    definition: async (digest) => copy(definitions.get(digest)?.pinned ?? null),
    list: async (filter) => list(all(), filter),
    async count() {
      const counts: Record<RunStatus, number> = {
        queued: 0,
        running: 0,
        waiting: 0,
        completed: 0,
        failed: 0,
        cancelled: 0,
      };
      for (const { status } of all()) counts[status] += 1;
      return counts;
    },
    async claim({ runId, expectedEpoch, ownerNodeId, leaseMs, now: at }) {
      const kept = runs.get(runId);
      if (kept === undefined || kept.run.epoch !== expectedEpoch || !isLive(kept.run)) return null;
      const { epoch, attempt } = kept.run;
      kept.run = {
        ...kept.run,
        status: "running",
        ownerNodeId,
        leaseUntil: at + leaseMs,
        epoch: epoch + 1,
        attempt: attempt + 1,
      };
      return copy(kept.run);
    },
    async renewLeases(ownerNodeId, leaseMs, at) {
      const mine = [...runs.values()].filter(({ run }) => run.status === "running" && run.ownerNodeId === ownerNodeId);
      for (const kept of mine) kept.run = { ...kept.run, leaseUntil: at + leaseMs };
      return mine.map(({ run }) => run.runId);
    },
    due: async (at, limit) =>
      copy(
        all()
          .filter((run) => isDue(run, at))
          .toSorted(byCreation)
          .slice(0, limit),
      ),
    async nextWakeAt() {
      const times = all()
        .filter((run) => run.status === "waiting")
        .flatMap((run) => [run.wakeAt, run.waitDeadlineAt])
        .filter((time) => time !== null);
      return times.length === 0 ? null : Math.min(...times);
    },
    append: async (guard, change) => append(guard, change),
    journal: async (runId, segment) =>
      copy((runs.get(runId)?.journal ?? []).filter((record) => segment === undefined || record.segment === segment)),
    thread: async (runId, thread, from, to) =>
      [...(runs.get(runId)?.threads.get(thread) ?? [])]
        .filter(([index]) => index >= from && index < to)
        .toSorted(([a], [b]) => a - b)
        .map(([, message]) => copy(message)),
    appendStream: async (guard, events) => void held(guard).stream.push(...copy(events)),
    readStream: async (runId, afterOffset, limit) =>
      copy((runs.get(runId)?.stream ?? []).filter(({ offset }) => offset > afterOffset).slice(0, limit)),
    streamHead: async (runId) => runs.get(runId)?.stream.at(-1)?.offset ?? 0,
    async signal(signal) {
      const kept = runs.get(signal.runId);
      if (kept === undefined || !isLive(kept.run)) return false;
      if (kept.signals.some((entry) => entry.signal.signalId === signal.signalId)) return true;
      kept.signals.push({ signal: copy(signal), consumed: false });
      if (kept.run.status === "waiting") kept.run = { ...kept.run, status: "queued" };
      return true;
    },
    signals: async (runId) =>
      copy(
        (runs.get(runId)?.signals ?? [])
          .filter(({ consumed }) => !consumed)
          .map(({ signal }) => signal)
          .toSorted((a, b) => a.at - b.at || (a.signalId < b.signalId ? -1 : 1)),
      ),
    async requestCancel(runId, at) {
      const kept = runs.get(runId);
      if (kept === undefined) return null;
      if (isLive(kept.run)) {
        const status = kept.run.status === "waiting" ? "queued" : kept.run.status;
        kept.run = { ...kept.run, status, cancelRequestedAt: kept.run.cancelRequestedAt ?? at };
      }
      return copy(kept.run);
    },
    async reserveEffectKey({ runId, position, expiresAt, ...key }) {
      const known = effectKeys.get(keyOf(key));
      if (known === undefined || known.expiresAt <= now()) {
        effectKeys.set(keyOf(key), { runId, position, expiresAt, result: undefined });
        return { kind: "reserved" };
      }
      if (known.runId === runId && known.position === position) return { kind: "reserved" };
      return { kind: "taken", runId: known.runId, position: known.position, result: copy(known.result) };
    },
    async sweep(retention, at) {
      const ended = all()
        .filter((run) => run.endedAt !== null)
        .toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || (a.runId < b.runId ? 1 : -1));
      const old = ended.filter(
        (run, index) => index >= retention.runsCount || (run.endedAt ?? 0) <= at - retention.runsMs,
      );
      for (const { runId } of old) runs.delete(runId);
      for (const kept of runs.values()) {
        if (kept.run.endedAt !== null && kept.run.endedAt <= at - retention.streamsMs) kept.stream = [];
      }
      for (const keys of [idempotency, effectKeys]) {
        for (const [key, { expiresAt }] of keys) if (expiresAt <= at) keys.delete(key);
      }
      return { runs: old.length };
    },
  };
}

function isDue(run: Run, at: number): boolean {
  const reached = (time: number | null): boolean => time !== null && time <= at;
  if (run.status === "waiting") return reached(run.wakeAt) || reached(run.waitDeadlineAt);
  return run.status === "queued" || (run.status === "running" && reached(run.leaseUntil));
}

function list(runs: readonly Run[], filter: RunFilter): readonly Run[] {
  const { limit, before, ...wanted } = filter;
  const matches = (run: Run): boolean =>
    (before === undefined || run.runId < before) &&
    Object.entries(wanted).every(([field, value]) => run[field as keyof typeof wanted] === value);
  return copy(
    runs
      .filter(matches)
      .toSorted((a, b) => (a.runId < b.runId ? 1 : -1))
      .slice(0, limit),
  );
}
