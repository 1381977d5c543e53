import type { LoopDelayWatcher } from "./loop-delay.ts";
import type { Metrics } from "./metrics.ts";

/** Reports on the process itself: memory, processor time, loop delay, and what runs. */
export function observeProcess(metrics: Metrics, loop: Pick<LoopDelayWatcher, "current">, version: string): void {
  metrics.processMemory.observe(() => [{ value: process.memoryUsage.rss(), labels: {} }]);
  metrics.processUptime.observe(() => [{ value: process.uptime(), labels: {} }]);
  metrics.processCpu.observe(() => {
    const { user, system } = process.cpuUsage();
    return [
      { value: user / 1e6, labels: { "cpu.mode": "user" } },
      { value: system / 1e6, labels: { "cpu.mode": "system" } },
    ];
  });
  metrics.loopDelay.observe(() => {
    const { p50Ms, p99Ms, maxMs } = loop.current();
    return [
      { value: p50Ms / 1_000, labels: { quantile: "p50" } },
      { value: p99Ms / 1_000, labels: { quantile: "p99" } },
      { value: maxMs / 1_000, labels: { quantile: "max" } },
    ];
  });
  metrics.loopUtilization.observe(() => [{ value: loop.current().utilization, labels: {} }]);
  metrics.buildInfo.observe(() => [{ value: 1, labels: { version, node_version: process.version } }]);
}
