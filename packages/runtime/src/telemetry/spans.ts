import type { ModelCandidate } from "../core/index.ts";
import { ASTROMESH, GENAI, GENAI_OPERATIONS, SEMCONV } from "./genai.ts";
import type { Span, SpanPlace, Tracing } from "./tracing.ts";

/** A run's span: from its claim to its end or its parking. */
export function startInvokeAgent(
  tracing: Tracing,
  place: SpanPlace,
  run: { readonly agent: string; readonly runId: string; readonly sessionId: string; readonly attempt: number },
): Span {
  return tracing.start(`${GENAI_OPERATIONS.invokeAgent} ${run.agent}`, "internal", place, {
    [GENAI.operation]: GENAI_OPERATIONS.invokeAgent,
    [GENAI.agentName]: run.agent,
    [GENAI.conversationId]: run.sessionId,
    [ASTROMESH.runId]: run.runId,
    [ASTROMESH.attempt]: run.attempt,
  });
}

/** A model call's span, named after the candidate that is asked first. */
export function startChat(
  tracing: Tracing,
  place: SpanPlace,
  call: { readonly candidate: ModelCandidate; readonly agent: string; readonly runId: string },
): Span {
  const { candidate } = call;
  const { temperature, top_p: topP, max_tokens: maxTokens, seed } = candidate.parameters;
  return tracing.start(`${GENAI_OPERATIONS.chat} ${candidate.model}`, "client", place, {
    [GENAI.operation]: GENAI_OPERATIONS.chat,
    [GENAI.provider]: candidate.provider,
    [GENAI.requestModel]: candidate.model,
    [GENAI.agentName]: call.agent,
    [ASTROMESH.runId]: call.runId,
    ...(typeof temperature === "number" ? { [GENAI.requestTemperature]: temperature } : {}),
    ...(typeof topP === "number" ? { [GENAI.requestTopP]: topP } : {}),
    ...(typeof maxTokens === "number" ? { [GENAI.requestMaxTokens]: maxTokens } : {}),
    ...(typeof seed === "number" ? { [GENAI.requestSeed]: seed } : {}),
  });
}

/** A tool call's span. */
export function startExecuteTool(
  tracing: Tracing,
  place: SpanPlace,
  call: { readonly tool: string; readonly source: string; readonly effectClass: string; readonly runId: string },
): Span {
  return tracing.start(`${GENAI_OPERATIONS.executeTool} ${call.tool}`, "internal", place, {
    [GENAI.operation]: GENAI_OPERATIONS.executeTool,
    [GENAI.toolName]: call.tool,
    [GENAI.toolType]: call.source === "mcp" ? "extension" : "function",
    [ASTROMESH.effectClass]: call.effectClass,
    [ASTROMESH.runId]: call.runId,
  });
}

/** A request's span, under the caller's `traceparent`. Set the route once it is known. */
export function startHttpServer(
  tracing: Tracing,
  place: SpanPlace,
  request: { readonly method: string; readonly path: string },
): Span {
  return tracing.start(request.method, "server", place, {
    [SEMCONV.httpMethod]: request.method,
    [SEMCONV.urlPath]: request.path,
    [SEMCONV.urlScheme]: "http",
  });
}
