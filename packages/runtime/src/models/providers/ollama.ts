/**
 * Ollama over its own protocol: POST /api/chat, an answer of JSON lines.
 *
 * Written on the wire and not on the `ollama` package, because that client (0.6.4) drops lines that it cannot parse
 * with a console.warn, prints error bodies with console.log, loses the status of an error line and takes no signal
 * for a single call. What a real server does is recorded in test/fixtures/ollama.
 */
import { isJsonObject } from "../../core/index.ts";
import type { ErrorCode, FinishReason, JsonObject } from "../../core/index.ts";
import type { ModelProvider, ProviderEvent, ProviderHealth, ProviderRequest } from "../../core/ports/index.ts";
import { readLines } from "../../net/index.ts";
import { askServer, PIECE_LIMIT_CHARS, streamFrom } from "../model-server.ts";
import { numberOf, objectOf, objectsOf, parseJson, textOf } from "../read-json.ts";
import { brokenOff, errorMessage, notJson, notUnderstood } from "../server-errors.ts";
import type { ModelServer, ProviderDeps } from "../server-errors.ts";
import { toToolCall } from "../tool-arguments.ts";
import { ollamaModelName, toOllamaChat } from "./ollama-wire.ts";

/** Where the Ollama is, and what it is called here. */
export interface OllamaOptions {
  readonly name: string;
  /** Root URL, such as `http://localhost:11434`. */
  readonly endpoint: string;
  /** Sent as a bearer token; for servers behind a gateway. */
  readonly apiKey: () => string | null;
}

/** Ollama, with what only it can tell. */
export interface OllamaProvider extends ModelProvider {
  /**
   * The first of these models that is there, or the newest that can chat when none is wanted by name. Null when there
   * is none. Throws when the server cannot be asked.
   */
  pickModel(wanted: readonly string[], signal: AbortSignal): Promise<string | null>;
}

const CHECK_MS = 3_000;

/** A provider for one Ollama server. */
export function createOllamaProvider(deps: ProviderDeps, options: OllamaOptions): OllamaProvider {
  const serverFor = (model: string): ModelServer => ({
    ...deps,
    label: "Ollama",
    endpoint: options.endpoint,
    apiKey: options.apiKey,
    keyHeader: null,
    explain: (status, message) => explain(model, status, message),
  });
  const anyModel = serverFor("");
  const modelNames = async (signal: AbortSignal): Promise<readonly string[]> => {
    const tags = await askServer(anyModel, "GET", "/api/tags", null, CHECK_MS, signal);
    return objectsOf(tags, "models").map((model) => textOf(model, "name"));
  };
  return {
    name: options.name,
    type: "ollama",
    stream: (request, signal) => streamChat(serverFor(request.model), request, signal),
    async check(signal): Promise<ProviderHealth> {
      try {
        const version = await askServer(anyModel, "GET", "/api/version", null, CHECK_MS, signal);
        const models = await modelNames(signal);
        const message = `Ollama ${textOf(version, "version")}, ${models.length} models`;
        return {
          ok: models.length > 0,
          message: models.length > 0 ? message : `${message}; try: ollama pull llama3.2`,
          models,
        };
      } catch (error) {
        signal.throwIfAborted();
        return { ok: false, message: error instanceof Error ? error.message : String(error), models: [] };
      }
    },
    async pickModel(wanted, signal) {
      const models = await modelNames(signal);
      if (wanted.length > 0) return wanted.find((model) => models.includes(ollamaModelName(model))) ?? null;
      // Agents may call tools, so a model that can is worth a look at all of them; else any that talks.
      let talks: string | null = null;
      for (const model of models) {
        const about = await askServer(anyModel, "POST", "/api/show", { model }, CHECK_MS, signal);
        const abilities = about["capabilities"];
        if (Array.isArray(abilities) && abilities.includes("tools")) return model;
        // Servers before 0.6.4 do not tell; then the name has to do.
        if (Array.isArray(abilities) ? abilities.includes("completion") : !model.includes("embed")) talks ??= model;
      }
      return talks;
    },
  };
}

async function* streamChat(
  server: ModelServer,
  request: ProviderRequest,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  let finish: ProviderEvent | null = null;
  let toolCalls = 0;
  const lines = streamFrom(server, {
    path: "/api/chat",
    headers: {
      "idempotency-key": request.idempotencyKey,
      ...(request.traceparent === null ? {} : { traceparent: request.traceparent }),
    },
    body: toOllamaChat(request),
    timeoutMs: request.timeoutMs,
    signal,
    read: (body) => readLines(body, PIECE_LIMIT_CHARS),
    ended: () => finish !== null,
  });
  for await (const batch of lines) {
    for (const line of batch) {
      if (finish !== null) break;
      const chunk = toChunk(server, line);
      for (const event of said(server, chunk)) {
        if (event.type === "tool_call") toolCalls += 1;
        yield event;
      }
      if (chunk["done"] === true) finish = toFinish(chunk, toolCalls);
    }
  }
  if (finish === null) throw brokenOff(server, "it ended without its end mark");
  yield finish;
}

function toChunk(server: ModelServer, line: string): JsonObject {
  const chunk = parseJson(line);
  if (!isJsonObject(chunk)) throw notUnderstood(server, notJson(line));
  // The status was sent long ago, so a failure in mid-answer comes as a line.
  if (chunk["error"] !== undefined) throw brokenOff(server, errorMessage(chunk, "an error without words"));
  return chunk;
}

function* said(server: ModelServer, chunk: JsonObject): Generator<ProviderEvent> {
  const message = objectOf(chunk, "message");
  const thinking = textOf(message, "thinking");
  if (thinking !== "") yield { type: "thinking", text: thinking };
  const text = textOf(message, "content");
  if (text !== "") yield { type: "text", text };
  for (const call of objectsOf(message, "tool_calls")) {
    const wanted = objectOf(call, "function");
    const id = textOf(call, "id") || server.newCallId();
    yield { type: "tool_call", call: toToolCall(id, textOf(wanted, "name"), wanted["arguments"] ?? {}) };
  }
}

function toFinish(chunk: JsonObject, toolCalls: number): ProviderEvent {
  // Ollama says `stop` after a tool call, too.
  const reason: FinishReason =
    toolCalls > 0 ? "tool_calls" : textOf(chunk, "done_reason") === "length" ? "length" : "stop";
  const inputTokens = numberOf(chunk, "prompt_eval_count");
  const outputTokens = numberOf(chunk, "eval_count");
  const usage =
    inputTokens === null && outputTokens === null
      ? null
      : { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 };
  return { type: "finish", reason, usage };
}

function explain(model: string, status: number, message: string): { code: ErrorCode; message: string } | null {
  const name = ollamaModelName(model);
  if (status === 404 && model !== "" && message.includes("not found") && message.includes("model")) {
    return {
      code: "model_not_found",
      message: `Ollama does not have the model ${model}; get it with: ollama pull ${model}`,
    };
  }
  // The text opens with the model's full name, which may have a registry's host in front.
  const missing = /does not support (tools|thinking|chat)/.exec(message)?.[1];
  if (missing !== undefined) {
    const hints: Readonly<Record<string, string>> = {
      tools: "choose a model that can call tools, or take the tools out of the agent",
      thinking: "leave out the parameter `think`",
      chat: "choose a model that chats; this one makes embeddings",
    };
    return {
      code: "model_rejected",
      message: `Ollama's model ${name} does not support ${missing}: ${hints[missing] ?? ""}.`,
    };
  }
  // A bad option is answered with 500.
  if (status === 500 && message.startsWith("option ")) {
    return { code: "model_rejected", message: `Ollama refused a parameter of the model: ${message}.` };
  }
  return null;
}
