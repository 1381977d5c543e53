import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createTestNode } from "../../packages/runtime/test/harness/index.ts";
import { loadRound } from "../measure/load.ts";
import { digits } from "../report.ts";
import type { Figure } from "../report.ts";
import { benchAgent } from "../subjects.ts";

/** Two whole windows of the node's own loop-delay watcher. */
const LOAD_MS = 21_000;

/** How late the main loop is while every flush of the disk takes 10 ms more and 16 clients send runs. */
export async function measureSlowDisk(providerUrl: string): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "astromesh-slow-fsync-"));
  const library = join(directory, "slow-fsync.so");
  const source = fileURLToPath(new URL("../baselines/slow-fsync.c", import.meta.url));
  const compiled = spawnSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"], { encoding: "utf8" });
  if (compiled.status !== 0) {
    rmSync(directory, { recursive: true });
    console.log("skipped: loop delay with a slow disk (no C compiler)");
    return [];
  }
  const node = createTestNode({
    name: "slow-disk",
    files: { "agents/bench.agent.yaml": benchAgent(providerUrl) },
    env: { LD_PRELOAD: library },
  });
  try {
    await node.start();
    const round = await loadRound(
      { url: `${node.url}/v1/agents/bench/run`, body: JSON.stringify({ query: "Say ok." }), pid: node.child.pid },
      16,
      LOAD_MS,
    );
    const metrics = await (await node.fetch("/metrics")).text();
    const p99Ms = readLoopDelayMs(metrics, "p99");
    return [
      {
        section: "disk flush + 10 ms",
        what: "loop delay p99 under load, c=16",
        ours: `${digits(p99Ms)} ms (${digits(round.perSecond)} runs/s)`,
        raw: "",
        goal: "<= 20 ms",
        met: p99Ms <= 20 && round.failures === 0,
      },
    ];
  } finally {
    await node.stop();
    await node.dispose();
    rmSync(directory, { recursive: true });
  }
}

/** The node's last window, from its metrics; seconds there. */
function readLoopDelayMs(metrics: string, part: string): number {
  const line = metrics.split("\n").find((text) => text.startsWith("nodejs_eventloop_delay") && text.includes(part));
  return Number(line?.split(" ").at(-1) ?? Number.NaN) * 1_000;
}
