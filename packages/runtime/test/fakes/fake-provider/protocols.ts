import type { JsonObject, Message } from "../../../src/core/index.ts";
import type { ScriptRule } from "../../../src/models/index.ts";

/** A tool call with the id that it goes out under. */
export interface NumberedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject | string;
}

/** One protocol: how a request is read and an answer written. */
export interface Protocol {
  readonly streamType: string;
  /** True when the request wants an answer in pieces. */
  streams(body: JsonObject): boolean;
  messages(body: JsonObject): readonly Message[];
  text(model: string, text: string): string;
  thinking(model: string, text: string): string;
  calls(model: string, calls: readonly NumberedCall[]): string;
  end(model: string, rule: ScriptRule, body: JsonObject): string;
  /** The whole answer, for a request that wants no pieces. */
  whole(model: string, rule: ScriptRule, reply: string, calls: readonly NumberedCall[]): string;
  error(message: string): string;
}

const NOW = "2026-01-01T00:00:00Z";

/** Ollama's /api/chat, as recorded in test/fixtures/ollama. */
export const OLLAMA: Protocol = {
  streamType: "application/x-ndjson",
  streams: (body) => body["stream"] !== false,
  messages: (body) =>
    read(body).map((message) =>
      message["role"] === "tool" ? toolMessage(text(message, "tool_name"), message) : plainMessage(message),
    ),
  text: (model, text) => ollamaLine(model, { content: text }, {}),
  thinking: (model, text) => ollamaLine(model, { content: "", thinking: text }, {}),
  calls: (model, calls) => ollamaLine(model, { content: "", tool_calls: ollamaCalls(calls) }, {}),
  end: (model, rule) => ollamaLine(model, { content: "" }, ollamaEnd(rule)),
  whole: (model, rule, reply, calls) =>
    ollamaLine(
      model,
      { content: reply, ...(calls.length > 0 ? { tool_calls: ollamaCalls(calls) } : {}) },
      ollamaEnd(rule),
    ),
  error: (message) => JSON.stringify({ error: message }),
};

/** OpenAI's /v1/chat/completions. */
export const OPENAI: Protocol = {
  streamType: "text/event-stream",
  streams: (body) => body["stream"] === true,
  messages(body) {
    const names = new Map<unknown, string>();
    return read(body).map((message) => {
      for (const call of (message["tool_calls"] ?? []) as JsonObject[]) {
        names.set(call["id"], text(call["function"] as JsonObject, "name"));
      }
      if (message["role"] !== "tool") return plainMessage(message);
      return toolMessage(names.get(message["tool_call_id"]) ?? "", message);
    });
  },
  text: (model, text) => openAiEvent(model, { content: text }, null),
  thinking: (model, text) => openAiEvent(model, { reasoning_content: text }, null),
  calls: (model, calls) => openAiEvent(model, { tool_calls: openAiCalls(calls) }, null),
  end(model, rule, body) {
    const reason = openAiEvent(model, {}, rule.toolCalls.length > 0 ? "tool_calls" : "stop");
    const wantsUsage = (body["stream_options"] as JsonObject | undefined)?.["include_usage"] === true;
    const usage =
      wantsUsage && rule.usage !== null
        ? `data: ${JSON.stringify({ model, choices: [], usage: openAiUsage(rule) })}\n\n`
        : "";
    return `${reason}${usage}data: [DONE]\n\n`;
  },
  whole: (model, rule, reply, calls) =>
    JSON.stringify({
      object: "chat.completion",
      model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: reply,
            ...(calls.length > 0 ? { tool_calls: openAiCalls(calls) } : {}),
          },
          finish_reason: calls.length > 0 ? "tool_calls" : "stop",
        },
      ],
      ...(rule.usage === null ? {} : { usage: openAiUsage(rule) }),
    }),
  error: (message) => JSON.stringify({ error: { message, type: "api_error", param: null, code: null } }),
};

function ollamaLine(model: string, message: JsonObject, end: JsonObject): string {
  return `${JSON.stringify({ model, created_at: NOW, message: { role: "assistant", ...message }, done: false, ...end })}\n`;
}

function ollamaEnd({ usage }: ScriptRule): JsonObject {
  const counts = usage === null ? {} : { prompt_eval_count: usage.inputTokens, eval_count: usage.outputTokens };
  return { done: true, done_reason: "stop", total_duration: 1_000, ...counts };
}

function ollamaCalls(calls: readonly NumberedCall[]): JsonObject[] {
  return calls.map(({ id, name, arguments: args }, index) => ({ id, function: { index, name, arguments: args } }));
}

function openAiEvent(model: string, delta: JsonObject, reason: string | null): string {
  const choice = { index: 0, delta: { role: "assistant", ...delta }, finish_reason: reason };
  return `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", model, choices: [choice] })}\n\n`;
}

function openAiCalls(calls: readonly NumberedCall[]): JsonObject[] {
  return calls.map(({ id, name, arguments: args }, index) => ({
    index,
    id,
    type: "function",
    function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
  }));
}

function openAiUsage({ usage }: ScriptRule): JsonObject {
  const { inputTokens, outputTokens } = usage ?? { inputTokens: 0, outputTokens: 0 };
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}

function read(body: JsonObject): readonly JsonObject[] {
  return (body["messages"] ?? []) as readonly JsonObject[];
}

function plainMessage(message: JsonObject): Message {
  const { role, content } = message;
  const parts = Array.isArray(content) ? (content as readonly JsonObject[]) : [];
  const said = text(message, "content") + parts.map((part) => text(part, "text")).join("");
  return { role: role as "system" | "user" | "assistant", text: said };
}

function toolMessage(toolName: string, message: JsonObject): Message {
  return { role: "tool", toolCallId: "", toolName, ok: true, text: text(message, "content") };
}

function text(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}
