import { interleave, loadRound, warmUp } from "../measure/load.ts";
import type { LoadTarget } from "../measure/load.ts";
import { digits } from "../report.ts";
import type { Figure } from "../report.ts";
import { chatBody } from "../subjects.ts";
import type { Subjects } from "../subjects.ts";

/** A durable one-call run through REST (on disk before the model is asked) against the bare proxy. */
export async function measureRuns(subjects: Subjects, options: Effort): Promise<readonly Figure[]> {
  const node: LoadTarget = {
    url: `${subjects.node.url}/v1/agents/bench/run`,
    body: JSON.stringify({ query: "Say ok." }),
    pid: subjects.node.child.pid,
  };
  const proxy: LoadTarget = { url: subjects.proxy.url, body: chatBody(false), pid: subjects.proxy.pid };
  const figures: Figure[] = [];
  for (const target of [node, proxy]) await warmUp(target);
  for (const concurrency of [1, 16, 64]) {
    const { ours, raw } = await interleave(
      {
        ours: () => loadRound(node, concurrency, options.roundMs),
        raw: () => loadRound(proxy, concurrency, options.roundMs),
      },
      options.rounds,
    );
    const share = ours.perSecond / raw.perSecond;
    const addedMs = ours.p50Ms - raw.p50Ms;
    figures.push({
      section: `durable run, c=${concurrency}`,
      what: "runs/s",
      ours: `${digits(ours.perSecond)} (${(share * 100).toFixed(0)} %)${failed(ours.failures)}`,
      raw: `${digits(raw.perSecond)} proxied/s${failed(raw.failures)}`,
      goal: ">= 25 % of raw",
      met: share >= 0.25 && ours.failures === 0,
    });
    figures.push({
      section: `durable run, c=${concurrency}`,
      what: "p50, p99, CPU a run",
      ours: `${digits(ours.p50Ms)} ms, ${digits(ours.p99Ms)} ms, ${digits(ours.cpuMsPerRequest)} ms`,
      raw: `${digits(raw.p50Ms)} ms, ${digits(raw.p99Ms)} ms, ${digits(raw.cpuMsPerRequest)} ms`,
      goal: concurrency === 1 ? "p50 + 3 ms at most" : "",
      met: concurrency === 1 ? addedMs <= 3 : null,
    });
  }
  return figures;
}

/** Time to the first token of a streamed run against the same stream through the bare proxy. */
export async function measureFirstToken(subjects: Subjects, options: Effort): Promise<readonly Figure[]> {
  const node: LoadTarget = {
    url: `${subjects.node.url}/v1/agents/bench/run`,
    body: JSON.stringify({ query: "Say ok.", stream: true }),
    headers: { accept: "text/event-stream" },
    pid: subjects.node.child.pid,
    firstPiece: "event: token",
  };
  const proxy: LoadTarget = {
    url: subjects.proxy.url,
    body: chatBody(true),
    pid: subjects.proxy.pid,
    firstPiece: '"content"',
  };
  const figures: Figure[] = [];
  for (const target of [node, proxy]) await warmUp(target);
  for (const [concurrency, mostMs] of [
    [1, 1],
    [64, 5],
  ] as const) {
    const { ours, raw } = await interleave(
      {
        ours: () => loadRound(node, concurrency, options.roundMs),
        raw: () => loadRound(proxy, concurrency, options.roundMs),
      },
      options.rounds,
    );
    figures.push({
      section: `first token, c=${concurrency}`,
      what: "p50, p99",
      ours: `${digits(ours.p50Ms)} ms, ${digits(ours.p99Ms)} ms${failed(ours.failures)}`,
      raw: `${digits(raw.p50Ms)} ms, ${digits(raw.p99Ms)} ms`,
      goal: `p50 + ${mostMs} ms at most`,
      met: ours.p50Ms - raw.p50Ms <= mostMs && ours.failures === 0,
    });
  }
  return figures;
}

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number;
  readonly roundMs: number;
}

function failed(failures: number): string {
  return failures === 0 ? "" : `, ${failures} FAILED`;
}
