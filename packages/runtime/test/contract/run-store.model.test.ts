import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RunGuard, RunPatch, RunStore, Store } from "../../src/core/ports/index.ts";
import { createPostgresStore, createSqliteStore } from "../../src/store/index.ts";
import { startPostgres } from "../fakes/embedded-postgres.ts";
import type { TestPostgres } from "../fakes/embedded-postgres.ts";
import { createMemoryRunStore } from "../fakes/memory-store.ts";
import { sampleCreate, sampleIds } from "../fakes/sample-run.ts";
import { record } from "./run-steps.ts";
import { storeDeps } from "./store-under-test.ts";

/** One thing that may happen; `apply` does it to a store. The same step on each store must come to the same. */
interface Step {
  readonly label: string;
  readonly apply: (runs: RunStore, world: World) => Promise<unknown>;
}

/** The ids of one sequence, apart from those of all others. */
interface World {
  readonly prefix: string;
  readonly runId: (index: number) => string;
}

const FAR = 4_000_000_000_000;
const runIndex = fc.nat({ max: 2 });
const owner = fc.constantFrom("node_a", "node_b");
const time = fc.integer({ min: 1, max: 40 });
const signalName = fc.constantFrom("go", "stop");

const patch: fc.Arbitrary<RunPatch> = fc.oneof(
  fc.constant({}),
  fc.record({ model: fc.string({ unit: "binary" }), modelMs: fc.double({ min: 0, max: 1e9, noNaN: true }) }),
  fc.constant({ status: "running" } as const),
  fc.constant({ status: "queued" } as const),
  fc.record({
    status: fc.constant("waiting" as const),
    wakeAt: fc.option(time),
    waitDeadlineAt: fc.option(time),
    waitReason: fc.constant("signal" as const),
  }),
  fc.record({
    status: fc.constantFrom("completed" as const, "failed" as const, "cancelled" as const),
    endedAt: time,
    response: fc.option(fc.string({ unit: "binary" })),
    output: fc.jsonValue() as fc.Arbitrary<never>,
  }),
);

/** The guard of the run's present owner, or an older one. */
async function guardOf(runs: RunStore, runId: string, back: number): Promise<RunGuard> {
  const run = await runs.get(runId);
  return { runId, ownerNodeId: run?.ownerNodeId ?? "node_a", epoch: (run?.epoch ?? 1) - back };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      index: runIndex,
      session: fc.nat({ max: 1 }),
      key: fc.option(fc.nat({ max: 1 })),
      exclusive: fc.boolean(),
      createdAt: time,
    })
    .map(({ index, session, key, exclusive, createdAt }) => ({
      label: `create ${index} in session ${session}, key ${key}, exclusive ${exclusive}`,
      apply: (runs: RunStore, { prefix, runId }: World) =>
        runs.create(
          sampleCreate(
            { runId: runId(index), sessionId: `${prefix}${session}`, traceId: "t", createdAt },
            {
              exclusiveSession: exclusive,
              idempotency:
                key === null ? null : { key: `${prefix}${key}`, bodyDigest: String(session), expiresAt: createdAt + 5 },
            },
          ),
        ),
    })),
  fc.record({ index: runIndex, expectedEpoch: fc.nat({ max: 3 }), ownerNodeId: owner, now: time }).map((claim) => ({
    label: `claim ${claim.index} by ${claim.ownerNodeId} from epoch ${claim.expectedEpoch}`,
    apply: (runs: RunStore, { runId }: World) => runs.claim({ ...claim, runId: runId(claim.index), leaseMs: 10 }),
  })),
  fc
    .record({
      index: runIndex,
      back: fc.constantFrom(0, 0, 0, 1),
      positions: fc.array(fc.nat({ max: 9 }), { maxLength: 2 }),
      patch,
      unlessSignalled: fc.array(signalName, { maxLength: 2 }),
      consumeSignals: fc.array(fc.constantFrom("s0", "s1", "s2"), { maxLength: 1 }),
      said: fc.option(fc.nat({ max: 2 })),
      events: fc.nat({ max: 2 }),
    })
    .map(({ index, back, positions, patch, said, events, ...rest }) => ({
      label: `append to ${index}, ${back} epochs back: ${JSON.stringify({ positions, patch, said, events, ...rest })}`,
      apply: async (runs: RunStore, { runId }: World) => {
        const guard = await guardOf(runs, runId(index), back);
        const head = await runs.streamHead(runId(index));
        return runs.append(guard, {
          ...rest,
          patch,
          records: positions.map((position) => record(String(position))),
          messages: said === null ? [] : [{ thread: "main", index: said, message: { role: "user", text: `${head}` } }],
          stream: Array.from({ length: events }, (_, event) => ({
            runId: runId(index),
            attempt: 1,
            offset: head + event + 1,
            at: 1,
            event: { type: "token", text: "\u0000", thread: "main" },
          })),
        });
      },
    })),
  fc.record({ index: runIndex, name: signalName, id: fc.nat({ max: 2 }), at: time }).map(({ index, name, id, at }) => ({
    label: `signal ${index}: ${name} s${id}`,
    apply: (runs: RunStore, { runId }: World) =>
      runs.signal({ signalId: `s${id}`, runId: runId(index), name, payload: id, sender: "ann", at }),
  })),
  fc.record({ index: runIndex, now: time }).map(({ index, now }) => ({
    label: `cancel ${index}`,
    apply: (runs: RunStore, { runId }: World) => runs.requestCancel(runId(index), now),
  })),
  fc.record({ ownerNodeId: owner, now: time }).map(({ ownerNodeId, now }) => ({
    label: `renew ${ownerNodeId}`,
    apply: async (runs: RunStore) => (await runs.renewLeases(ownerNodeId, 10, now)).toSorted(),
  })),
  fc.record({ index: runIndex, key: fc.nat({ max: 1 }), over: fc.boolean() }).map(({ index, key, over }) => ({
    label: `reserve ${key} for ${index}`,
    apply: (runs: RunStore, { prefix, runId }: World) =>
      runs.reserveEffectKey({
        tool: "t",
        principalId: "p",
        key: `${prefix}${key}`,
        runId: runId(index),
        position: "1",
        expiresAt: over ? 1 : FAR,
      }),
  })),
  fc
    .record({ runsMs: time, runsCount: fc.nat({ max: 2 }), streamsMs: time, now: time })
    .map(({ now, ...retention }) => ({
      label: `sweep ${JSON.stringify(retention)} at ${now}`,
      apply: async (runs: RunStore) => (await runs.sweep(retention, now))["runs"] ?? 0,
    })),
);

/** The result of a step, or the code of its error. */
async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await work };
  } catch (error) {
    return { code: (error as { code?: unknown }).code };
  }
}

/** All that can be seen of a store. */
async function seen(runs: RunStore, { runId }: World): Promise<unknown> {
  const ids = [0, 1, 2].map(runId);
  return {
    runs: await Promise.all(ids.map((id) => runs.get(id))),
    journals: await Promise.all(ids.map((id) => runs.journal(id))),
    threads: await Promise.all(ids.map((id) => runs.thread(id, "main", 0, 9))),
    streams: await Promise.all(ids.map((id) => runs.readStream(id, 1, 3))),
    heads: await Promise.all(ids.map((id) => runs.streamHead(id))),
    signals: await Promise.all(ids.map((id) => runs.signals(id))),
    due: await Promise.all([10, 20, 40].map((now) => runs.due(now, 2))),
    next: await runs.nextWakeAt(),
    list: await runs.list({ limit: 9 }),
    queued: await runs.list({ limit: 1, status: "queued" }),
    count: await runs.count(),
  };
}

/** Ends and drops every run. */
async function empty(runs: RunStore): Promise<void> {
  for (const run of await runs.list({ limit: 99 })) {
    if (run.endedAt !== null) continue;
    const held = await runs.claim({ runId: run.runId, expectedEpoch: run.epoch, ownerNodeId: "x", leaseMs: 1, now: 1 });
    if (held === null) continue;
    await runs.append(
      { runId: run.runId, ownerNodeId: "x", epoch: held.epoch },
      { patch: { status: "failed", endedAt: 1 } },
    );
  }
  await runs.sweep({ runsMs: 1, runsCount: 0, streamsMs: 1 }, FAR);
}

describe("run store, compared with its model", () => {
  const folder = mkdtempSync(join(tmpdir(), "astromesh-model-"));
  let server: TestPostgres;
  let databases: readonly Store[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    databases = [
      createSqliteStore({ ...storeDeps, path: join(folder, "model.db") }),
      createPostgresStore({ ...storeDeps, url: await server.createDatabase() }),
    ];
    await Promise.all(databases.map((store) => store.start(AbortSignal.timeout(30_000))));
  });
  afterAll(async () => {
    await Promise.all(databases.map((store) => store.stop()));
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it("gives the same results on SQLite, on PostgreSQL and in plain data, whatever happens in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: "max" }), async (steps) => {
        const prefix = sampleIds.make("w");
        const world = { prefix, runId: (index: number) => `${prefix}_${index}` };
        const model = createMemoryRunStore(() => Date.now());
        for (const { runs } of databases) await empty(runs);
        for (const { label, apply } of steps) {
          const expected = await outcomeOf(apply(model, world));
          for (const store of databases) {
            expect(await outcomeOf(apply(store.runs, world)), `${label} on ${store.status().kind}`).toEqual(expected);
          }
        }
        const expected = await seen(model, world);
        for (const store of databases) {
          expect(await seen(store.runs, world), `in the end on ${store.status().kind}`).toEqual(expected);
        }
      }),
      { numRuns: 30 },
    );
  }, 120_000);
});
