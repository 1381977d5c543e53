import { createTestNode } from "../../packages/runtime/test/harness/index.ts";
import { residentMib } from "../measure/process-cost.ts";
import { median } from "../measure/statistics.ts";
import { digits } from "../report.ts";
import type { Figure } from "../report.ts";

/** How long a node takes from its start until it serves, and what it holds when idle. */
export async function measureFootprint(rounds: number): Promise<readonly Figure[]> {
  const readyMs: number[] = [];
  const idleMib: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const node = createTestNode({ name: "idle" });
    try {
      const startedAt = performance.now();
      await node.start();
      readyMs.push(performance.now() - startedAt);
      await node.fetch("/ready");
      idleMib.push(residentMib(node.child.pid));
    } finally {
      await node.stop();
      await node.dispose();
    }
  }
  return [
    {
      section: "start-up",
      what: "process start until it serves, middle",
      ours: `${digits(median(readyMs))} ms`,
      raw: "",
      goal: "<= 700 ms",
      met: median(readyMs) <= 700,
    },
    {
      section: "idle node",
      what: "resident memory, middle",
      ours: `${digits(median(idleMib))} MiB`,
      raw: "",
      goal: "<= 120 MB",
      met: median(idleMib) * 1.048_576 <= 120,
    },
  ];
}
