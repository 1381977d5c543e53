/**
 * OpenAI's chat completions, and every server that speaks them: POST /chat/completions, an answer of server-sent
 * events.
 *
 * Written on the wire and not on the AI SDK, because of what its providers (@ai-sdk/openai 3.0.141,
 * openai-compatible 2.0.87) hide from us. Both drop `[DONE]`, and the former reports an answer without a
 * `finish_reason` as one that ended for an `other` reason: a model that died in mid-answer would look finished. Both
 * also check each chunk against a schema and pass it through three TransformStreams: measured over 300-token answers,
 * 21 microseconds of CPU for each token, against 6 here.
 */
import { AstromeshError, isJsonObject } from "../../core/index.ts";
import type { JsonObject } from "../../core/index.ts";
import type { ModelProvider, ProviderEvent, ProviderHealth, ProviderRequest } from "../../core/ports/index.ts";
import { readSse } from "../../net/index.ts";
import { askServer, PIECE_LIMIT_CHARS, streamFrom } from "../model-server.ts";
import { objectsOf, parseJson, textOf } from "../read-json.ts";
import { brokenOff, errorMessage, notJson, notUnderstood } from "../server-errors.ts";
import type { ModelServer, ProviderDeps } from "../server-errors.ts";
import { createChunkReader } from "./openai-stream.ts";
import { toChatCompletion } from "./openai-wire.ts";
import type { MaxTokensName } from "./openai-wire.ts";

/** Which server it is, and what it is called here. */
export interface OpenAiOptions {
  readonly name: string;
  readonly type: string;
  /** As errors name it, such as `OpenAI` or `vLLM`. */
  readonly label: string;
  /** Base URL with its version, such as `https://api.openai.com/v1`. */
  readonly endpoint: string;
  readonly apiKey: () => string | null;
  /** Refuse a call without a key at once, naming the variable to set; null lets the server decide. */
  readonly keyHint: string | null;
  readonly maxTokensName: MaxTokensName;
}

const CHECK_MS = 3_000;

/** A provider for one OpenAI-compatible server. */
export function createOpenAiProvider(deps: ProviderDeps, options: OpenAiOptions): ModelProvider {
  const server: ModelServer = {
    ...deps,
    label: options.label,
    endpoint: options.endpoint,
    apiKey: options.apiKey,
    // Azure takes bearer tokens of its directory only; keys have a header of their own.
    keyHeader: new URL(options.endpoint).hostname.endsWith(".azure.com") ? "api-key" : null,
    explain: () => null,
  };
  const requireKey = (): void => {
    if (options.keyHint === null || options.apiKey() !== null) return;
    throw new AstromeshError("model_auth", `${options.label} needs a key: ${options.keyHint}.`);
  };
  return {
    name: options.name,
    type: options.type,
    async *stream(request, signal) {
      signal.throwIfAborted();
      requireKey();
      yield* streamCompletion(server, request, options.maxTokensName, signal);
    },
    async check(signal): Promise<ProviderHealth> {
      try {
        requireKey();
        const list = await askServer(server, "GET", "/models", null, CHECK_MS, signal);
        const models = objectsOf(list, "data").map((model) => textOf(model, "id"));
        return { ok: true, message: `${options.label}, ${models.length} models`, models };
      } catch (error) {
        signal.throwIfAborted();
        return { ok: false, message: error instanceof Error ? error.message : String(error), models: [] };
      }
    },
  };
}

/**
 * The answer is whole when a chunk has said why the model stopped and the body then ended as HTTP says it must, with
 * `[DONE]` or (a few servers leave it out) without. Anything else is a broken stream, whatever was said before.
 */
async function* streamCompletion(
  server: ModelServer,
  request: ProviderRequest,
  maxTokensName: MaxTokensName,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const reader = createChunkReader(server.newCallId);
  let done = false;
  const batches = streamFrom(server, {
    path: "/chat/completions",
    headers: {
      "idempotency-key": request.idempotencyKey,
      ...(request.traceparent === null ? {} : { traceparent: request.traceparent }),
    },
    body: toChatCompletion(request, maxTokensName),
    timeoutMs: request.timeoutMs,
    signal,
    read: (body) => readSse(body, PIECE_LIMIT_CHARS),
    ended: () => done,
  });
  for await (const batch of batches) {
    for (const { data } of batch) {
      if (done) break;
      if (data.trim() === "[DONE]") done = true;
      else yield* reader.read(toChunk(server, data));
    }
  }
  const finish = reader.finish();
  if (finish === null) throw brokenOff(server, "it ended without its end mark");
  yield finish;
}

function toChunk(server: ModelServer, data: string): JsonObject {
  const chunk = parseJson(data);
  if (!isJsonObject(chunk)) throw notUnderstood(server, notJson(data));
  // The status was sent long ago, so a failure in mid-answer comes as an event.
  const error = chunk["error"];
  if ((error !== undefined && error !== null) || chunk["object"] === "error") {
    throw brokenOff(server, errorMessage(chunk, "an error without words"));
  }
  return chunk;
}
