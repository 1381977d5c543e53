import { afterEach, describe, expect, test } from "vitest";

import { startOtlpCollector } from "../../test/fakes/index.ts";
import type { OtlpCollector } from "../../test/fakes/index.ts";
import { parseTraceparent } from "../core/index.ts";
import { openTelemetry, chatSpan, httpServerSpan, invokeAgentSpan } from "./index.ts";
import type { Telemetry } from "./index.ts";

const NODE = { version: "1.2.3", nodeId: "node_1", name: "alpha" };
const GET = httpServerSpan({ method: "GET", path: "/health" });

let collector: OtlpCollector | undefined;
let telemetry: Telemetry | undefined;

async function open(): Promise<{ collector: OtlpCollector; telemetry: Telemetry }> {
  collector = await startOtlpCollector();
  telemetry = await openTelemetry(NODE, {
    tracesUrl: `${collector.url}/v1/traces`,
    metricsUrl: `${collector.url}/v1/metrics`,
    headers: { "x-tenant": "t1" },
    sampleRatio: 1,
    serviceName: "astromesh",
    resourceAttributes: { "deployment.environment.name": "test" },
  });
  return { collector, telemetry };
}

afterEach(async () => {
  await telemetry?.tracing.stop(200);
  await telemetry?.stop(200);
  await collector?.stop();
});

describe("OTLP", () => {
  test("a run's spans arrive with its own trace id, GenAI names and the node's resource", async () => {
    const { collector, telemetry } = await open();
    const ids = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      startedAt: 1_700_000_000_000,
      endedAt: 1_700_000_000_250,
    };
    const run = { agent: "default", runId: "run_1", sessionId: "ses_1", attempt: 1 };
    const usage = { inputTokens: 3, outputTokens: 2, costUsd: null };
    telemetry.tracing.record({
      ...chatSpan({ provider: "ollama", model: "tiny:latest", agent: "default", runId: "run_1", usage: null }),
      ...ids,
      spanId: "00000000000000c1",
      parentSpanId: "00000000000000a1",
      errorCode: "model_timeout",
    });
    telemetry.tracing.record({
      ...invokeAgentSpan({ ...run, status: "failed", stopReason: "error", usage }),
      ...ids,
      spanId: "00000000000000a1",
      parentSpanId: null,
      errorCode: null,
    });
    expect(await telemetry.tracing.flush(5_000)).toBe(true);

    expect(collector.headers).toMatchObject({ "x-tenant": "t1", "content-type": "application/x-protobuf" });
    expect(collector.spans).toMatchObject([
      {
        traceId: ids.traceId,
        spanId: "00000000000000c1",
        parentSpanId: "00000000000000a1",
        name: "chat tiny:latest",
        kind: 3,
        status: 2,
        durationMs: 250,
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.provider.name": "ollama",
          "gen_ai.request.model": "tiny:latest",
          "error.type": "model_timeout",
        },
        resource: {
          "service.name": "astromesh",
          "service.version": "1.2.3",
          "service.instance.id": "node_1",
          "deployment.environment.name": "test",
        },
      },
      {
        traceId: ids.traceId,
        spanId: "00000000000000a1",
        parentSpanId: "",
        name: "invoke_agent default",
        kind: 1,
        status: 0,
        attributes: {
          "gen_ai.agent.name": "default",
          "gen_ai.conversation.id": "ses_1",
          "gen_ai.usage.input_tokens": "3",
          "astromesh.run.id": "run_1",
        },
      },
    ]);
  });

  test("a span hangs under the caller's traceparent", async () => {
    const { telemetry } = await open();
    const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const span = telemetry.tracing.start(GET, parent);
    expect(parseTraceparent(span.traceparent)).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c" });
  });

  test("an unsampled caller is honoured: nothing is sent", async () => {
    const { collector, telemetry } = await open();
    const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    telemetry.tracing.start(GET, parent).end();
    expect(await telemetry.tracing.flush(5_000)).toBe(true);
    expect(collector.spans).toEqual([]);
  });

  test("metrics go out when the node stops", async () => {
    const { collector, telemetry } = await open();
    telemetry.metrics.runsStarted.add(1, { agent: "default" });
    await telemetry.stop(5_000);
    expect(collector.metrics).toContain("astromesh.runs.started");
  });

  test("a collector that never answers does not hold the shutdown", async () => {
    const { collector, telemetry } = await open();
    collector.blackhole();
    telemetry.tracing.start(GET, null).end();
    expect(await telemetry.tracing.flush(50)).toBe(false);
    await telemetry.tracing.stop(50);
    await telemetry.stop(50);
  });

  test("without an endpoint tracing is off and spans have no traceparent", async () => {
    const off = await openTelemetry(NODE, null);
    expect(off.tracing.enabled).toBe(false);
    expect(off.tracing.start(GET, null).traceparent).toBeNull();
  });
});
