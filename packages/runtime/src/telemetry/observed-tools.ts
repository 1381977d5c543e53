import type { Clock } from "../core/index.ts";
import type { Tool, ToolRegistry } from "../core/ports/index.ts";
import { SEMCONV, GENAI } from "./genai.ts";
import type { Metrics } from "./metrics.ts";
import { startExecuteTool } from "./spans.ts";
import type { Tracing } from "./tracing.ts";

/** Puts an `execute_tool` span and the tool metrics around every tool of a registry. */
export function observeTools(
  registry: ToolRegistry,
  deps: { readonly metrics: Metrics; readonly tracing: Tracing; readonly clock: Pick<Clock, "monotonic"> },
): ToolRegistry {
  return {
    builtin: () => registry.builtin(),
    forAgent(definition) {
      const tools = [...registry.forAgent(definition)];
      return new Map(tools.map(([name, tool]) => [name, observeTool(tool, deps)]));
    },
  };
}

function observeTool(
  tool: Tool,
  deps: { readonly metrics: Metrics; readonly tracing: Tracing; readonly clock: Pick<Clock, "monotonic"> },
): Tool {
  const { name } = tool.spec;
  return {
    ...tool,
    async execute(args, scope) {
      const startedMs = deps.clock.monotonic();
      const span = startExecuteTool(
        deps.tracing,
        { parent: scope.traceparent },
        { tool: name, source: tool.source, effectClass: tool.effectOf(args), runId: scope.runId },
      );
      let errorType = "tool_failed";
      try {
        const outcome = await tool.execute(args, { ...scope, traceparent: span.traceparent ?? scope.traceparent });
        errorType = outcome.ok ? "" : outcome.code;
        if (!outcome.ok) span.fail(outcome.code, outcome.message);
        return outcome;
      } catch (error) {
        span.fail(errorType, error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        span.end();
        deps.metrics.toolDuration.recordMs(deps.clock.monotonic() - startedMs, {
          [GENAI.toolName]: name,
          [SEMCONV.errorType]: errorType,
        });
      }
    },
  };
}
