import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Pattern } from "../../packages/runtime/src/core/index.ts";
import { countingTool, createLab, openLabStore } from "../../packages/runtime/test/fakes/run-lab.ts";
import type { Lab } from "../../packages/runtime/test/fakes/run-lab.ts";
import { startRawWriter } from "../baselines/raw-writer.ts";
import type { RawWriter } from "../baselines/raw-writer.ts";
import { median } from "../measure/statistics.ts";
import { digits } from "../report.ts";
import type { Figure } from "../report.ts";
import type { Effort } from "./rest.ts";

/** Effects of a measured run; each is an intent and an outcome, so two rows of the journal. */
const EFFECTS = 10;

/** As large as a journal row of ours with its columns. */
const ROW = "x".repeat(600);

/** A loop of ten effects with no work of their own: what is left is the engine and the disk. */
const tenEffects: Pattern = async (context) => {
  const { length } = await context.effect({ kind: "context", thread: "main" });
  for (let step = 0; step < EFFECTS; step += 1) {
    const call = { id: `call-${step}`, name: "nothing", arguments: { step } };
    await context.effect({ kind: "tool", thread: "main", index: length + step, call });
  }
  return { kind: "answer", stopReason: "end", thread: "main", index: null };
};

interface EffectsRound {
  readonly runsPerSecond: number;
  readonly p50Ms: number;
}

/** Durable effects through the engine against rows through a raw writer's thread, interleaved. */
export async function measureEffects(options: Effort): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "astromesh-bench-"));
  const opened = await openLabStore();
  const lab = createLab({ store: opened.store.runs, pattern: tenEffects, tools: [countingTool("nothing", "once")] });
  lab.engine.start();
  const raw = await startRawWriter(join(directory, "raw.db"));
  try {
    const figures: Figure[] = [];
    for (const concurrency of [1, 8, 32, 64]) {
      const ours: EffectsRound[] = [];
      const base: EffectsRound[] = [];
      for (let round = 0; round <= options.rounds; round += 1) {
        const mine = await closedLoop(concurrency, options.roundMs, () => oneRun(lab));
        const theirs = await closedLoop(concurrency, options.roundMs, () => oneRawRun(raw));
        if (round === 0) continue;
        ours.push(mine);
        base.push(theirs);
      }
      figures.push(...compare(concurrency, ours, base));
    }
    return figures;
  } finally {
    await lab.engine.stop({ graceMs: 5_000 });
    await opened.close();
    await raw.stop();
    rmSync(directory, { recursive: true });
  }
}

function compare(concurrency: number, ours: readonly EffectsRound[], base: readonly EffectsRound[]): readonly Figure[] {
  const mine = {
    runs: median(ours.map((round) => round.runsPerSecond)),
    p50: median(ours.map((round) => round.p50Ms)),
  };
  const theirs = {
    runs: median(base.map((round) => round.runsPerSecond)),
    p50: median(base.map((round) => round.p50Ms)),
  };
  const section = `10-effect run, c=${concurrency}`;
  const perSecond = mine.runs * EFFECTS;
  const share = mine.runs / theirs.runs;
  return [
    {
      section,
      what: "durable effects/s",
      ours: `${digits(perSecond)} (${(share * 100).toFixed(0)} %)`,
      raw: `${digits(theirs.runs * EFFECTS)} pairs of rows/s`,
      goal: concurrency === 64 ? ">= 10,000/s and >= 15 % of raw" : "",
      met: concurrency === 64 ? perSecond >= 10_000 && share >= 0.15 : null,
    },
    {
      section,
      what: "p50 of a run",
      ours: `${digits(mine.p50)} ms`,
      raw: `${digits(theirs.p50)} ms for its commits`,
      goal: concurrency === 1 ? "<= 5 ms and <= 2x raw" : "",
      met: concurrency === 1 ? mine.p50 <= 5 && mine.p50 <= 2 * theirs.p50 : null,
    },
  ];
}

async function oneRun(lab: Lab): Promise<void> {
  const run = await lab.submit();
  await lab.ended(run.runId);
}

/** The rows that such a run writes, one after the other as it does: each waits for the one before. */
async function oneRawRun(raw: RawWriter): Promise<void> {
  for (let row = 0; row < 2 * EFFECTS; row += 1) await raw.append(ROW);
}

async function closedLoop(concurrency: number, durationMs: number, work: () => Promise<void>): Promise<EffectsRound> {
  const samples: number[] = [];
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < durationMs) {
      const beganAt = performance.now();
      await work();
      samples.push(performance.now() - beganAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const tookMs = performance.now() - startedAt;
  return { runsPerSecond: (samples.length * 1_000) / tookMs, p50Ms: median(samples) };
}
