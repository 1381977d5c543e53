import { AstromeshError, isJsonArray } from "../../core/index.ts";
import type { ImagePart, Json, JsonObject, Message } from "../../core/index.ts";
import type { ProviderRequest } from "../../core/ports/index.ts";

/** Parameters that stand beside `options` in a request to /api/chat, not inside. */
const TOP_LEVEL = new Set(["think", "keep_alive", "format", "logprobs", "top_logprobs"]);

/** The body of a request to /api/chat (https://github.com/ollama/ollama/blob/main/docs/api.md). */
export function toOllamaChat(request: ProviderRequest): JsonObject {
  const top: Record<string, Json> = {};
  const options: Record<string, Json> = {};
  for (const [name, value] of Object.entries(request.parameters)) {
    if (TOP_LEVEL.has(name)) top[name] = value;
    else if (name === "max_tokens") options["num_predict"] = value;
    else if (name === "stop") options["stop"] = isJsonArray(value) ? value : [value];
    else options[name] = value;
  }
  // A format forces every token of the answer into the schema, so the model could no longer call a tool.
  if (request.outputSchema !== null && request.tools.length === 0) top["format"] ??= request.outputSchema;
  return {
    model: request.model,
    messages: request.messages.map(toOllamaMessage),
    stream: true,
    ...(request.tools.length === 0
      ? {}
      : { tools: request.tools.map((tool) => ({ type: "function", function: { ...tool } })) }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...top,
  };
}

function toOllamaMessage(message: Message): JsonObject {
  const { role, text: content } = message;
  if (role === "system") return { role, content };
  if (role === "user") {
    const images = (message.images ?? []).map(toBase64);
    return { role, content, ...(images.length === 0 ? {} : { images }) };
  }
  if (role === "tool") return { role, tool_name: message.toolName, tool_call_id: message.toolCallId, content };
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => ({
    id,
    function: { name, arguments: args ?? {} },
  }));
  return {
    role,
    content,
    ...(message.thinking === undefined ? {} : { thinking: message.thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function toBase64({ source }: ImagePart): string {
  if ("data" in source) return source.data;
  const inline = /^data:[^,]*;base64,(.*)$/s.exec(source.url)?.[1];
  if (inline !== undefined) return inline;
  throw new AstromeshError(
    "model_rejected",
    "Ollama takes images as data only, not by address; send the image itself.",
  );
}

/** A model's name as /api/tags lists it: without a tag, `:latest` is meant. */
export function ollamaModelName(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1).includes(":") ? model : `${model}:latest`;
}

/**
 * The base URL that a text as in OLLAMA_HOST means: scheme http and port 11434 unless it says otherwise, and an
 * address that only a server can bind (0.0.0.0, ::) is this machine. Ollama's own client reads it the same way.
 */
export function ollamaEndpoint(text: string): string {
  const trimmed = text.trim();
  if (trimmed.includes("://")) return trimmed.replace(/\/+$/, "");
  const url = new URL(`http://${trimmed.startsWith(":") ? "localhost" : ""}${trimmed}`);
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  if (!/:\d+$/.test(url.host) && !trimmed.endsWith(":80")) url.port = "11434";
  return url.href.replace(/\/+$/, "");
}
