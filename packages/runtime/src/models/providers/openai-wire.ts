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
  switch (message.role) {
    case "system":
      return { role: "system", content: message.text };
    case "user": {
      const images = message.images ?? [];
      if (images.length === 0) return { role: "user", content: message.text };
      return { role: "user", content: [{ type: "text", text: message.text }, ...images.map(toImage)] };
    }
    case "assistant": {
      const calls = message.toolCalls ?? [];
      if (calls.length === 0) return { role: "assistant", content: message.text };
      const toolCalls = calls.map(({ id, name, arguments: args }) => ({
        id,
        type: "function",
        // Servers parse this text (vLLM fails on broken JSON), so what the model wrote wrongly is not sent back.
        function: { name, arguments: JSON.stringify(args ?? {}) },
      }));
      return { role: "assistant", content: message.text === "" ? null : message.text, tool_calls: toolCalls };
    }
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content: message.text };
  }
}

function toImage({ mediaType, source }: ImagePart): JsonObject {
  const url = "url" in source ? source.url : `data:${mediaType};base64,${source.data}`;
  return { type: "image_url", image_url: { url } };
}
