import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { renderClientTypes, renderOpenApi } from "../../../../scripts/client-types.ts";
import { restDocument } from "../../src/doors/index.ts";

const document = restDocument("1");

describe("the OpenAPI document", () => {
  it("has these operations", () => {
    const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.entries(item as Record<string, { operationId: string }>).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    );
    expect(operations).toEqual([
      "GET /health health",
      "GET /v1/health healthV1",
      "GET /api/v1/health healthApi",
      "GET /ready ready",
      "GET /metrics metrics",
      "GET /v1/mesh/state meshState",
      "GET /v1/agents listAgents",
      "POST /v1/agents createAgent",
      "GET /v1/agents/{name} getAgent",
      "PUT /v1/agents/{name} replaceAgent",
      "DELETE /v1/agents/{name} removeAgent",
      "POST /v1/agents/validate validateAgent",
      "POST /v1/agents/{name}/validate validateNamedAgent",
      "POST /v1/agents/{name}/run runAgent",
      "POST /v1/runs submitRun",
      "GET /v1/runs listRuns",
      "GET /v1/runs/{run_id} getRun",
      "GET /v1/runs/{run_id}/journal getRunJournal",
      "GET /v1/runs/{run_id}/events watchRun",
      "POST /v1/runs/{run_id}/cancel cancelRun",
      "POST /v1/runs/{run_id}/signal signalRun",
      "POST /v1/runs/{run_id}/approve approveRun",
      "POST /v1/runs/{run_id}/reject rejectRun",
      "POST /v1/runs/{run_id}/resolve resolveRun",
      "GET /v1/memory/{agent}/history/{session} sessionHistory",
      "DELETE /v1/memory/{agent}/history/{session} clearSession",
      "GET /v1/tools listTools",
      "GET /v1/tools/builtin listBuiltinTools",
      "POST /v1/tools/execute executeTool",
      "GET /v1/traces listTraces",
      "GET /v1/traces/{trace_id} getTrace",
      "GET /v1/system/status systemStatus",
      "GET /v1/system/doctor systemDoctor",
      "POST /v1/system/reload systemReload",
      "GET /v1/providers listProviders",
      "GET /v1/config config",
      "GET /v1/logs tailLogs",
    ]);
  });

  it("has these members in the bodies that the guides show", () => {
    const members = (name: string): string[] => {
      const schema = document.components?.schemas?.[name] as { properties: object; required?: string[] };
      const required = new Set(schema.required);
      return Object.keys(schema.properties).map((member) => (required.has(member) ? member : `${member}?`));
    };
    expect(members("AgentRunRequest")).toEqual([
      "query",
      "images?",
      "session_id?",
      "context?",
      "stream?",
      "wait_ms?",
      "on_disconnect?",
    ]);
    expect(members("RunAnswer")).toEqual([
      "run_id",
      "status",
      "stop_reason",
      "response",
      "output?",
      "session_id",
      "tool_calls",
      "usage",
      "timing",
      "model",
      "provider",
      "trace_id",
    ]);
    expect(members("Usage")).toEqual(["input_tokens", "output_tokens", "total_tokens", "cost_usd?"]);
    expect(members("Error")).toEqual([
      "detail",
      "code",
      "errors?",
      "run_id?",
      "status?",
      "stop_reason?",
      "trace_id?",
      "details?",
    ]);
  });

  it("says of every route whose key may call it", () => {
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      for (const [method, operation] of Object.entries(item as Record<string, Record<string, unknown>>)) {
        const { scope } = operation["x-astromesh-access"] as { scope: string };
        expect([method, path, operation["security"] === undefined]).toEqual([method, path, scope === "open"]);
      }
    }
  });
});

describe("the client's generated files", () => {
  it.each([
    ["openapi.json", renderOpenApi],
    ["api.ts", renderClientTypes],
  ] as const)("%s is current (else: npm run gen)", async (name, render) => {
    const file = new URL(`../../../client/src/generated/${name}`, import.meta.url);
    expect((await readFile(file, "utf8")) === (await render())).toBe(true);
  });
});
