import type { EffectClass, Usage } from "../core/index.ts";
import { ASTROMESH, GENAI, GENAI_OPERATIONS, SEMCONV } from "./genai.ts";
import type { SpanFacts } from "./tracing.ts";

/** The span of a run, from its creation to its end. */
export function invokeAgentSpan(run: {
  readonly agent: string;
  readonly runId: string;
  readonly sessionId: string;
  readonly attempt: number;
  readonly status: string;
  readonly stopReason: string;
  readonly usage: Usage;
}): SpanFacts {
  return {
    name: `${GENAI_OPERATIONS.invokeAgent} ${run.agent}`,
    kind: "internal",
    attributes: {
      [GENAI.operation]: GENAI_OPERATIONS.invokeAgent,
      [GENAI.agentName]: run.agent,
      [GENAI.conversationId]: run.sessionId,
      [ASTROMESH.runId]: run.runId,
      [ASTROMESH.attempt]: run.attempt,
      [ASTROMESH.runStatus]: run.status,
      [ASTROMESH.stopReason]: run.stopReason,
      ...usageAttributes(run.usage),
    },
  };
}

/** The span of a model call. */
export function chatSpan(call: {
  readonly provider: string | null;
  readonly model: string;
  readonly agent: string;
  readonly runId: string;
  readonly usage: Usage | null;
}): SpanFacts {
  return {
    name: `${GENAI_OPERATIONS.chat} ${call.model}`,
    kind: "client",
    attributes: {
      [GENAI.operation]: GENAI_OPERATIONS.chat,
      [GENAI.requestModel]: call.model,
      [GENAI.agentName]: call.agent,
      [ASTROMESH.runId]: call.runId,
      ...(call.provider === null ? {} : { [GENAI.provider]: call.provider }),
      ...(call.usage === null ? {} : usageAttributes(call.usage)),
    },
  };
}

/** The span of a tool call. */
export function executeToolSpan(call: {
  readonly tool: string;
  readonly effectClass: EffectClass;
  readonly runId: string;
}): SpanFacts {
  return {
    name: `${GENAI_OPERATIONS.executeTool} ${call.tool}`,
    kind: "internal",
    attributes: {
      [GENAI.operation]: GENAI_OPERATIONS.executeTool,
      [GENAI.toolName]: call.tool,
      [ASTROMESH.effectClass]: call.effectClass,
      [ASTROMESH.runId]: call.runId,
    },
  };
}

/** The span of a request, until its route is known: then it is renamed to `METHOD route`. */
export function httpServerSpan(request: { readonly method: string; readonly path: string }): SpanFacts {
  return {
    name: request.method,
    kind: "server",
    attributes: {
      [SEMCONV.httpMethod]: request.method,
      [SEMCONV.urlPath]: request.path,
      [SEMCONV.urlScheme]: "http",
    },
  };
}

function usageAttributes(usage: Usage): SpanFacts["attributes"] {
  return {
    [GENAI.inputTokens]: usage.inputTokens,
    [GENAI.outputTokens]: usage.outputTokens,
    ...(usage.costUsd === null ? {} : { [ASTROMESH.costUsd]: usage.costUsd }),
  };
}
