import { Agent, request } from "undici";

import { cpuMs } from "./process-cost.ts";
import { median, quantile } from "./statistics.ts";

/** One kind of request, sent again and again. */
export interface LoadTarget {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The process whose CPU time is counted. */
  readonly pid: number;
  /** Time the first piece of the answer that holds this text, instead of its end. */
  readonly firstPiece?: string;
}

/** What a round of load showed. */
export interface LoadRound {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMsPerRequest: number;
  readonly failures: number;
}

/** Keeps `concurrency` requests under way for `durationMs`, each on its own kept-alive connection. */
export async function loadRound(target: LoadTarget, concurrency: number, durationMs: number): Promise<LoadRound> {
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  const samples: number[] = [];
  let failures = 0;
  const cpuBefore = cpuMs(target.pid);
  const startedAt = performance.now();
  const endAt = startedAt + durationMs;
  const caller = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const sentAt = performance.now();
      const ok = await once(agent, target, () => samples.push(performance.now() - sentAt));
      if (!ok) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const tookMs = performance.now() - startedAt;
  const cpu = cpuMs(target.pid) - cpuBefore;
  await agent.close();
  return {
    perSecond: (samples.length * 1_000) / tookMs,
    p50Ms: median(samples),
    p99Ms: quantile(samples, 0.99),
    cpuMsPerRequest: cpu / Math.max(1, samples.length),
    failures,
  };
}

async function once(agent: Agent, target: LoadTarget, timed: () => void): Promise<boolean> {
  const response = await request(target.url, {
    method: "POST",
    dispatcher: agent,
    headers: { "content-type": "application/json", ...target.headers },
    body: target.body,
  });
  if (target.firstPiece === undefined) {
    await response.body.dump();
    if (response.statusCode === 200) timed();
    return response.statusCode === 200;
  }
  let seen = "";
  let found = false;
  for await (const piece of response.body) {
    if (found) continue;
    seen += String(piece);
    if (!seen.includes(target.firstPiece)) continue;
    found = true;
    timed();
  }
  return found;
}

/** Enough requests that the compiler has seen what is hot; a slow subject gets as many as a fast one. */
const WARM_REQUESTS = 2_000;
/** .. but no longer than this. Milliseconds. */
const WARM_MS = 30_000;

/** Sends requests until the subject runs as it does in the long run. */
export async function warmUp(target: LoadTarget): Promise<void> {
  const startedAt = performance.now();
  for (let sent = 0; sent < WARM_REQUESTS && performance.now() - startedAt < WARM_MS;) {
    sent += (await loadRound(target, 16, 500)).perSecond / 2;
  }
}

/** The middle of several rounds, figure by figure. */
function middleRound(rounds: readonly LoadRound[]): LoadRound {
  const of = (pick: (round: LoadRound) => number): number => median(rounds.map(pick));
  return {
    perSecond: of((round) => round.perSecond),
    p50Ms: of((round) => round.p50Ms),
    p99Ms: of((round) => round.p99Ms),
    cpuMsPerRequest: of((round) => round.cpuMsPerRequest),
    failures: rounds.reduce((sum, round) => sum + round.failures, 0),
  };
}

/** Runs the subjects in turn, `rounds` times, so that what the machine does besides hits all alike. */
export async function interleave<K extends string>(
  subjects: Readonly<Record<K, () => Promise<LoadRound>>>,
  rounds: number,
): Promise<Readonly<Record<K, LoadRound>>> {
  const names = Object.keys(subjects) as K[];
  const results = new Map<K, LoadRound[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const result = await subjects[name]();
      // The first turn warms caches and the compiler up; it does not count.
      if (round > 0) results.get(name)?.push(result);
    }
  }
  return Object.fromEntries(names.map((name) => [name, middleRound(results.get(name) ?? [])])) as Record<K, LoadRound>;
}
