import type { ImagePart, Json, JsonObject, Message } from "../../core/index.ts";
import type { ProviderRequest } from "../../core/ports/index.ts";

/** The member that bounds the answer's length: OpenAI's newer models refuse the old name, other servers know only it. */
export type MaxTokensName = "max_tokens" | "max_completion_tokens";

/**
 * The body of a request to /chat/completions. The request's parameters come last and win, so that whatever a server
 * cannot take can be set to null, which leaves it out.
 */
export function toChatCompletion(request: ProviderRequest, maxTokensName: MaxTokensName): JsonObject {
  const { max_tokens: maxTokens, ...others } = request.parameters;
  const body: Record<string, Json> = {
    model: request.model,
    messages: request.messages.map(toOpenAiMessage),
    stream: true,
    // Without it no usage is sent, and so no cost is known.
    stream_options: { include_usage: true },
    ...(request.tools.length === 0
      ? {}
      : { tools: request.tools.map((tool) => ({ type: "function", function: { ...tool } })) }),
    ...(request.outputSchema === null
      ? {}
      : { response_format: { type: "json_schema", json_schema: { name: "output", schema: request.outputSchema } } }),
    ...(maxTokens === undefined ? {} : { [maxTokensName]: maxTokens }),
    ...others,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

function toOpenAiMessage(message: Message): JsonObject {
  const { role, text } = message;
  if (role === "system") return { role, content: text };
  if (role === "user") {
    const images = (message.images ?? []).map(toImage);
    return { role, content: images.length === 0 ? text : [{ type: "text", text }, ...images] };
  }
  if (role === "tool") return { role, tool_call_id: message.toolCallId, content: text };
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => ({
    id,
    type: "function",
    // Servers parse this text (vLLM fails on broken JSON), so what the model wrote wrongly is not sent back.
    function: { name, arguments: JSON.stringify(args ?? {}) },
  }));
  if (calls.length === 0) return { role, content: text };
  return { role, content: text === "" ? null : text, tool_calls: calls };
}

function toImage({ mediaType, source }: ImagePart): JsonObject {
  const url = "url" in source ? source.url : `data:${mediaType};base64,${source.data}`;
  return { type: "image_url", image_url: { url } };
}
