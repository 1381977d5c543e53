import { AstromeshError, isEnded } from "../core/index.ts";
import type { Run } from "../core/index.ts";
import type { CreateOutcome, LoadedAgent, Submitted, SubmitRequest } from "../core/ports/index.ts";
import type { AttemptTable } from "./attempt-table.ts";
import { bornRunning, loadedAgent, requestedRun } from "./new-run.ts";
import type { RunEngineDeps, RunEngineOptions } from "./options.ts";
import type { RunWatch } from "./run-watch.ts";
import type { Scheduler } from "./scheduler.ts";

/** What admission works with. */
export interface SubmitDeps {
  readonly deps: RunEngineDeps;
  readonly options: RunEngineOptions;
  readonly table: AttemptTable;
  readonly scheduler: Scheduler;
  readonly watch: RunWatch;
  readonly draining: () => boolean;
}

/** Clients may come back after this long; the queue of a busy node moves by then. Milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** Takes requests for runs in; see Runs.submit for the contract. */
export function createSubmit(parts: SubmitDeps): (request: SubmitRequest) => Promise<Submitted> {
  const { deps, options, watch } = parts;
  const { clock, observer } = deps;
  const create = createRunCreator(parts);

  const refuse = (code: "admission_full" | "session_busy" | "draining", message: string, runId?: string): never => {
    observer.refused(code);
    throw new AstromeshError(code, message, {
      retryAfterMs: RETRY_AFTER_MS,
      ...(runId === undefined ? {} : { details: { runId } }),
    });
  };

  const existing = async (runId: string): Promise<Submitted> => {
    const run = await deps.store.get(runId);
    if (run !== null) return { run, created: false };
    throw new AstromeshError("run_not_found", `The run ${runId} of this idempotency key is no longer kept.`);
  };

  return async (request) => {
    const agent = loadedAgent(deps.catalog, request.agent);
    const deadline = clock.monotonic() + options.sessionWaitMs;
    for (;;) {
      if (parts.draining()) refuse("draining", "The node is shutting down and takes no new runs.");
      const run = requestedRun(agent, request, { ...deps, workLimitMs: options.workLimitMs });
      const outcome = await create(agent, run, request);
      switch (outcome.kind) {
        case "created":
          return { run: outcome.run, created: true };
        case "existing":
          return existing(outcome.runId);
        case "key_reused": {
          const message = "The idempotency key was used before with another request.";
          throw new AstromeshError("idempotency_key_reused", message);
        }
        case "full":
          return refuse("admission_full", "The node's queue of runs is full.");
        case "session_busy": {
          const leftMs = deadline - clock.monotonic();
          if (leftMs <= 0) refuse("session_busy", `The session has a run going: ${outcome.runId}.`, outcome.runId);
          await watch.until(outcome.runId, ({ status }) => isEnded(status), { timeoutMs: leftMs, signal: null });
        }
      }
    }
  };
}

type Created =
  | { readonly kind: "created"; readonly run: Run }
  | { readonly kind: "full" }
  | Exclude<CreateOutcome, { kind: "created" }>;

/** Writes the run: at work at once where a slot is free, else queued, unless the queue is full. */
function createRunCreator({ deps, options, table, scheduler }: SubmitDeps) {
  const { store, clock } = deps;
  const queue = createQueueCount(deps, options.maxQueued);

  const write = (agent: LoadedAgent, run: Run, request: SubmitRequest): Promise<CreateOutcome> =>
    store.create({
      run,
      definition: { digest: agent.digest, definition: agent.definition },
      idempotency:
        request.idempotency === null
          ? null
          : { ...request.idempotency, expiresAt: run.createdAt + options.idempotencyMs },
      exclusiveSession: true,
    });

  const atOnce = async (agent: LoadedAgent, queued: Run, request: SubmitRequest): Promise<Created> => {
    const askedAt = clock.monotonic();
    const run = bornRunning(queued, deps.nodeId, options.leaseMs);
    let adopted = false;
    try {
      const outcome = await write(agent, run, request);
      if (outcome.kind !== "created") return outcome;
      adopted = true;
      table.adopt(run, agent.definition, askedAt);
      return { kind: "created", run };
    } finally {
      if (!adopted) table.release();
    }
  };

  return async (agent: LoadedAgent, run: Run, request: SubmitRequest): Promise<Created> => {
    if (!scheduler.backlogged() && table.reserve()) return atOnce(agent, run, request);
    if (!(await queue.enter())) return { kind: "full" };
    const outcome = await write(agent, run, request);
    if (outcome.kind !== "created") return outcome;
    scheduler.queued();
    return { kind: "created", run };
  };
}

/** How long a count of the store's queue is good for. Milliseconds. */
const COUNT_MS = 200;

/**
 * Knows whether the queue has room, without counting the store's runs for each request of a flood. Between two counts
 * it only grows, so it errs on the side of refusing.
 */
function createQueueCount({ store, clock }: RunEngineDeps, max: number) {
  let countedAt = Number.NEGATIVE_INFINITY;
  let length = 0;
  return {
    enter: async (): Promise<boolean> => {
      if (clock.monotonic() - countedAt > COUNT_MS) {
        countedAt = clock.monotonic();
        length = (await store.count()).queued;
      }
      if (length >= max) return false;
      length += 1;
      return true;
    },
  };
}
