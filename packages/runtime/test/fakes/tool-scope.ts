import type { ToolScope } from "../../src/core/ports/index.ts";

/** The scope of a tool call; parts given replace the defaults. */
export function toolScope(parts: Partial<ToolScope> = {}): ToolScope {
  return {
    agent: "helper",
    runId: "run_1",
    sessionId: "ses_1",
    principalId: "local",
    idempotencyKey: "run_1:3",
    traceparent: null,
    signal: new AbortController().signal,
    ...parts,
  };
}
