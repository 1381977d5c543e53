/**
 * Attribute names of the OpenTelemetry semantic conventions for generative AI, as of release 1.45.0
 * (@opentelemetry/semantic-conventions; the conventions now live in open-telemetry/semantic-conventions-genai).
 * They are still experimental there, so they are written down here, once, instead of imported.
 */
export const GENAI = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  agentName: "gen_ai.agent.name",
  conversationId: "gen_ai.conversation.id",
  requestModel: "gen_ai.request.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  tokenType: "gen_ai.token.type",
  toolName: "gen_ai.tool.name",
} as const;

/** Values of `gen_ai.operation.name` that we use. */
export const GENAI_OPERATIONS = { invokeAgent: "invoke_agent", chat: "chat", executeTool: "execute_tool" } as const;

/** Stable names from the same release: HTTP servers and errors. */
export const SEMCONV = {
  errorType: "error.type",
  httpMethod: "http.request.method",
  httpRoute: "http.route",
  httpStatus: "http.response.status_code",
  urlPath: "url.path",
  urlScheme: "url.scheme",
} as const;

/** Our own attribute names, for what no convention names yet. */
export const ASTROMESH = {
  runId: "astromesh.run.id",
  runStatus: "astromesh.run.status",
  stopReason: "astromesh.run.stop_reason",
  attempt: "astromesh.run.attempt",
  effectClass: "astromesh.effect.class",
  costUsd: "astromesh.cost.usd",
} as const;
