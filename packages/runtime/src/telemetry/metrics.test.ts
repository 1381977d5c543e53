import { describe, expect, test } from "vitest";

import { createLoopDelayWatcher, createMeters, METRICS, observeProcess } from "./index.ts";

describe("render", () => {
  test("writes Prometheus text with units in names and labels as they were told", async () => {
    const meters = createMeters();
    const { metrics } = meters;
    metrics.runsEnded.add(1, { agent: "default", status: "completed", stop_reason: "end" });
    metrics.runDuration.recordMs(250, { agent: "default", status: "completed" });
    metrics.modelTokens.record(12, {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "ollama",
      "gen_ai.request.model": 'a "quoted" model',
      "gen_ai.token.type": "input",
    });
    metrics.runsActive.observe(() => [{ value: 7, labels: {} }]);
    const text = await meters.render();
    expect(text).toContain('astromesh_runs_ended_total{agent="default",status="completed",stop_reason="end"} 1\n');
    expect(text).toContain('astromesh_run_duration_seconds_sum{agent="default",status="completed"} 0.25\n');
    expect(text).toContain('astromesh_run_duration_seconds_bucket{agent="default",status="completed",le="0.1"} 0\n');
    expect(text).toContain('gen_ai_request_model="a \\"quoted\\" model",gen_ai_token_type="input",le="16"} 1');
    expect(text).toContain("# TYPE astromesh_runs_active gauge\nastromesh_runs_active 7\n");
    expect(text).not.toContain("# UNIT");
  });

  test("reports the process", async () => {
    const meters = createMeters();
    const { metrics } = meters;
    const loop = { current: () => ({ p50Ms: 1, p99Ms: 20, maxMs: 30, utilization: 0.5 }) };
    observeProcess(metrics, loop, "1.2.3");
    const text = await meters.render();
    expect(text).toContain(`astromesh_build_info{version="1.2.3",node_version="${process.version}"} 1\n`);
    expect(text).toContain('nodejs_eventloop_delay_seconds{quantile="p99"} 0.02\n');
    expect(text).toMatch(/process_memory_usage_bytes \d{7,}\n/);
    expect(text).toMatch(/process_cpu_time_seconds\{cpu_mode="user"\} [\d.]+\n/);
  });

  test("can be asked again and again, by several at once", async () => {
    const meters = createMeters();
    const { metrics } = meters;
    metrics.takeovers.add(2, {});
    const texts = await Promise.all([meters.render(), meters.render(), meters.render()]);
    for (const text of texts) expect(text).toContain("astromesh_runs_takeovers_total 2\n");
  });
});

test("every metric has a name of its own, a meaning, and is known under its literal name", () => {
  const specs = Object.values(METRICS);
  expect(new Set(specs.map((spec) => spec.name)).size).toBe(specs.length);
  for (const spec of specs) expect(spec.help).toMatch(/^[A-Z].*\.$/);
  expect(specs.map((spec) => spec.name)).toMatchInlineSnapshot(`
    [
      "http.server.request.duration",
      "astromesh.runs.active",
      "astromesh.runs.stored",
      "astromesh.runs.started",
      "astromesh.runs.ended",
      "astromesh.run.duration",
      "gen_ai.client.operation.duration",
      "gen_ai.client.operation.time_to_first_chunk",
      "gen_ai.client.token.usage",
      "astromesh.model.cost",
      "astromesh.model.breaker",
      "astromesh.tool.duration",
      "astromesh.lease.age",
      "astromesh.attempts.lost",
      "astromesh.runs.refused",
      "astromesh.runs.takeovers",
      "astromesh.effects.ambiguous",
      "astromesh.runs.parked",
      "astromesh.runs.quarantined",
      "astromesh.replay.mismatches",
      "astromesh.agents.loaded",
      "astromesh.agents.rejected",
      "astromesh.reloads",
      "astromesh.loops.ends",
      "astromesh.store.ready",
      "nodejs.eventloop.delay",
      "nodejs.eventloop.utilization",
      "process.memory.usage",
      "process.cpu.time",
      "process.uptime",
      "astromesh.build.info",
    ]
  `);
});

test("the loop's delay is what timers were late, without the sampling interval", async () => {
  const seen = await new Promise<{ maxMs: number; utilization: number }>((resolve) => {
    const watcher = createLoopDelayWatcher({
      windowMs: 200,
      onWindow: (health) => {
        watcher.stop();
        resolve(health);
      },
    });
    watcher.start();
    setTimeout(() => {
      const end = performance.now() + 60;
      while (performance.now() < end) Math.sqrt(2);
    }, 50);
  });
  expect(seen.maxMs).toBeGreaterThan(40);
  expect(seen.utilization).toBeGreaterThan(0.1);
});
