/**
 * One effect: look it up, or write its intent, perform it, write its outcome.
 *
 * E1 Nothing of class `once`, no model and no tool is performed before its intent is durable.
 * E2 The lease is looked at on the monotonic clock right before performing.
 * E3 An outcome is durable before anything that builds on it is performed: it goes to the disk in this turn of the
 *    event loop, together with the next intent if there is one.
 * E4 An intent without an outcome is performed again, with the same key, unless its class is `once`.
 */
import { addUsage, formatTraceparent, fromErrorRecord, toAstromeshError, toErrorRecord } from "../../../core/index.ts";
import type {
  AstromeshError,
  EffectKind,
  EffectRequest,
  EffectResults,
  ErrorRecord,
  Json,
} from "../../../core/index.ts";
import { digestOf } from "../../digest.ts";
import type { EffectCall, EffectDone, EffectExecutor, EffectPlan, RequestOf } from "../../effects/index.ts";
import { observed } from "../../observer.ts";
import { callSpanId, placeKey } from "../../spans.ts";
import type { Branch } from "./branch.ts";
import type { AttemptKit } from "./kit.ts";
import { never, recordOf, progressPatch } from "./kit.ts";
import type { KnownCall } from "./replay.ts";
import { payloadOf, verifyCall } from "./replay.ts";
import { isStoreTrouble } from "./writer.ts";

/** One effect at its place, while it is settled. */
export interface EffectSite<K extends EffectKind> {
  readonly request: RequestOf<K>;
  readonly executor: EffectExecutor<K>;
  readonly plan: EffectPlan<K>;
  readonly position: string;
  readonly digest: string;
  readonly call: EffectCall;
  readonly spanId: string;
  readonly branch: Branch;
}

/** How an effect gets from its plan to its outcome where a person may have a say (see settle.ts). */
export type Settle = <K extends EffectKind>(
  kit: AttemptKit,
  site: EffectSite<K>,
  known: KnownCall | null,
) => Promise<EffectDone<K>>;

/** Performs an effect of the loop, or returns what the journal has. */
export async function performEffect<K extends EffectKind>(
  kit: AttemptKit,
  branch: Branch,
  request: RequestOf<K>,
  settle: Settle,
): Promise<EffectResults[K]> {
  const position = branch.take();
  const digest = digestOf(request as unknown as Json);
  const executor = kit.executors[request.kind] as unknown as EffectExecutor<K>;
  const known = kit.segment().replay.at(position);
  if (known !== null) verifyCall(known, { position, kind: request.kind, digest, what: whatOf(request) });
  if (known?.outcome) {
    branch.seen(known.outcome);
    if (known.outcome.phase === "failed") throw fromErrorRecord(known.outcome.payload as unknown as ErrorRecord);
    return executor.replay(request, payloadOf(known.outcome));
  }
  const place = { runId: kit.run.runId, segment: kit.segment().number, position };
  const spanId = callSpanId(place);
  const site: EffectSite<K> = {
    request,
    executor,
    plan: executor.plan(request),
    position,
    digest,
    spanId,
    call: {
      place: `${place.segment}:${position}`,
      idempotencyKey: placeKey(place),
      traceparent: formatTraceparent({ traceId: kit.run.traceId, spanId, sampled: true }),
      signal: branch.signal,
    },
    branch,
  };
  kit.goLive();
  try {
    const done = await settle(kit, site, known);
    return done.result;
  } catch (thrown) {
    const error = toAstromeshError(thrown);
    if (!branch.signal.aborted && !isFatal(error)) writeFailure(kit, site, error);
    throw error;
  }
}

function isFatal(error: AstromeshError): boolean {
  return isStoreTrouble(error) || error.code === "stale_epoch" || error.code === "journal_mismatch";
}

/** A request as a diff shows it: no texts. */
function whatOf(request: EffectRequest): Json {
  if (request.kind === "tool") return { ...request, call: { name: request.call.name } };
  if (request.kind === "say") return { ...request, text: null };
  return { ...request };
}

/** One try: intent (unless an earlier attempt wrote it), lease, effect, outcome. */
export async function tryEffect<K extends EffectKind>(
  kit: AttemptKit,
  site: EffectSite<K>,
  tryPosition: string,
  intended: boolean,
): Promise<EffectDone<K>> {
  const { plan, position, request, executor, call } = site;
  const { clock } = kit.deps;
  if (intended) await takeUp(kit, site);
  else if (plan.about !== null) await writeIntent(kit, site, tryPosition);
  if (!kit.mayPerform()) return never();
  call.signal.throwIfAborted();
  kit.inFlight.set(position, { position, tryPosition, kind: request.kind, effectClass: plan.effectClass });
  const startedAt = clock.now();
  const begun = clock.monotonic();
  try {
    const done = await orAborted(call.signal, executor.perform(request, call));
    // From here to the writer's queue nothing waits: a cut either finds the effect in flight, or its outcome written.
    call.signal.throwIfAborted();
    kit.inFlight.delete(position);
    tellObserver(kit, site, { startedAt, durationMs: clock.monotonic() - begun, done, error: null });
    writeDone(kit, site, done, plan.about === null ? kit.stream.head() : null);
    return done;
  } catch (thrown) {
    const error = toAstromeshError(thrown);
    if (!call.signal.aborted) {
      tellObserver(kit, site, { startedAt, durationMs: clock.monotonic() - begun, done: null, error });
    }
    throw error;
  } finally {
    kit.inFlight.delete(position);
  }
}

async function writeIntent<K extends EffectKind>(
  kit: AttemptKit,
  site: EffectSite<K>,
  tryPosition: string,
): Promise<void> {
  const { plan, request, digest } = site;
  const from = kit.stream.head();
  if (plan.announce !== null && !plan.approval && tryPosition === site.position) {
    kit.stream.emit(plan.announce, site.call.place);
  }
  const payload = { about: plan.about, from };
  await kit.writer.write({
    records: [
      recordOf(kit, {
        position: tryPosition,
        phase: "intent",
        kind: request.kind,
        effectClass: plan.effectClass,
        digest,
        payload,
      }),
    ],
  });
}

/**
 * The outcome of any effect, with all that belongs to it in one transaction.
 *
 * @param from where the call began to speak, when the outcome is all that the journal has of it; null after an intent
 */
export function writeDone<K extends EffectKind>(
  kit: AttemptKit,
  site: EffectSite<K>,
  done: EffectDone<K>,
  from: number | null,
): void {
  const { plan, position, request, digest } = site;
  if (done.event !== null) kit.stream.emit(done.event, site.call.place);
  for (const { thread, index, message } of done.messages) kit.threads.put(thread, index, message);
  addSpending(kit, done);
  const record = recordOf(kit, {
    position,
    phase: "done",
    kind: request.kind,
    effectClass: plan.effectClass,
    ...(from === null ? {} : { digest }),
    payload: {
      ...done.payload,
      ...(from === null || plan.about === null ? {} : { about: plan.about, from }),
      to: kit.stream.head(),
    },
  });
  const change = {
    records: [record],
    messages: done.messages,
    patch: progressPatch(kit),
    ...(done.turn === null ? {} : { turns: [done.turn] }),
    ...(done.completeEffectKey === null ? {} : { completeEffectKey: done.completeEffectKey }),
  };
  kit.writer.defer(change);
  site.branch.seen(record);
}

function writeFailure<K extends EffectKind>(kit: AttemptKit, site: EffectSite<K>, error: AstromeshError): void {
  const { plan, position, request, digest } = site;
  const record = recordOf(kit, {
    position,
    phase: "failed",
    kind: request.kind,
    effectClass: plan.effectClass,
    ...(plan.about === null ? { digest } : {}),
    payload: toErrorRecord(error) as unknown as Json,
  });
  kit.writer.defer({ records: [record], patch: progressPatch(kit) });
  site.branch.seen(record);
}

function addSpending<K extends EffectKind>(kit: AttemptKit, { spent }: EffectDone<K>): void {
  const { usage, modelMs, toolMs, model, provider } = spent;
  const before = kit.totals();
  kit.addTotals({
    ...(usage === null ? {} : { usage: addUsage(before.usage, usage) }),
    ...(modelMs === 0 ? {} : { modelMs: before.modelMs + modelMs }),
    ...(toolMs === 0 ? {} : { toolMs: before.toolMs + toolMs }),
    ...(model === null ? {} : { model, provider }),
  });
}

/**
 * The attempt that wrote the intent died in the call: what it said is taken back by now (see resay.ts), and what it
 * may have spent is shown apart.
 */
async function takeUp<K extends EffectKind>(kit: AttemptKit, site: EffectSite<K>): Promise<void> {
  const { executor, request, plan } = site;
  if (plan.announce !== null && !plan.approval) kit.stream.emit(plan.announce, site.call.place);
  const lost = await executor.lost?.(request);
  if (lost !== undefined) kit.addTotals({ lostUsage: addUsage(kit.totals().lostUsage, lost) });
}

/** The work's outcome, or the signal's reason as soon as it aborts: an effect that does not listen holds nobody up. */
async function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function tellObserver<K extends EffectKind>(
  kit: AttemptKit,
  { plan, position, request, spanId }: EffectSite<K>,
  end: {
    readonly startedAt: number;
    readonly durationMs: number;
    readonly done: EffectDone<K> | null;
    readonly error: AstromeshError | null;
  },
): void {
  const code = end.done?.payload["code"];
  kit.deps.observer.effectEnded(observed(kit.run), {
    kind: request.kind,
    name: end.done?.spent.model ?? plan.name,
    provider: end.done?.spent.provider ?? null,
    effectClass: plan.effectClass,
    position,
    spanId,
    parentSpanId: kit.spanId,
    startedAt: end.startedAt,
    durationMs: end.durationMs,
    ok: end.done?.ok ?? false,
    errorCode: end.error?.code ?? (typeof code === "string" ? code : null),
    usage: end.done?.spent.usage ?? null,
  });
}
