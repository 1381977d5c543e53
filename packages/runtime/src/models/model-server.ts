import { isJsonObject } from "../core/index.ts";
import type { JsonObject } from "../core/index.ts";
import { readText, watchSilence } from "../net/index.ts";
import type { HttpResponse } from "../net/index.ts";
import { parseJson } from "./read-json.ts";
import { fold, notUnderstood, refused, silent } from "./server-errors.ts";
import type { ModelServer } from "./server-errors.ts";

/** A request that is answered piece by piece. */
export interface StreamRequest<Piece> {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  /** See ProviderRequest. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Takes the body apart. */
  readonly read: (body: AsyncIterable<Uint8Array>) => AsyncIterable<readonly Piece[]>;
  /** True once the pieces were complete: what happens to the connection after that does not matter. */
  readonly ended: () => boolean;
}

/** After the end mark the body should be over at once; until then its connection cannot be used again. */
const AFTER_END_MS = 1_000;
const ERROR_BODY_BYTES = 16_384;
/** No line or event of an answer is longer; images do not come this way. */
export const PIECE_LIMIT_CHARS = 8 * 1_024 * 1_024;

/**
 * Posts a request and yields the pieces of its answer. Folds everything that can go wrong into AstromeshError: no
 * connection, a refusal, silence, a connection that breaks. Throws the signal's reason when it aborts.
 */
export async function* streamFrom<Piece>(
  server: ModelServer,
  request: StreamRequest<Piece>,
): AsyncGenerator<readonly Piece[]> {
  const watch = watchSilence(server.clock, request.signal, request.timeoutMs, () => silent(server, request.timeoutMs));
  let answered = false;
  try {
    const response = await send(server, "POST", request.path, request.body, request.headers, watch.signal);
    answered = true;
    for await (const pieces of request.read(response.body)) {
      watch.pause();
      yield pieces;
      if (request.ended()) watch.tighten(AFTER_END_MS);
      else watch.heard();
    }
  } catch (error) {
    if (request.ended()) return;
    throw fold(server, error, answered, watch.signal);
  } finally {
    watch.stop();
  }
}

/** Asks for a small JSON document. `timeoutMs` bounds the whole of it. */
export async function askServer(
  server: ModelServer,
  method: "GET" | "POST",
  path: string,
  body: JsonObject | null,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<JsonObject> {
  const watch = watchSilence(server.clock, signal, timeoutMs, () => silent(server, timeoutMs));
  try {
    const response = await send(server, method, path, body, {}, watch.signal);
    const answer = parseJson(await readText(response.body, PIECE_LIMIT_CHARS));
    if (!isJsonObject(answer)) throw notUnderstood(server, `${path} did not answer with a JSON object`);
    return answer;
  } catch (error) {
    throw fold(server, error, false, watch.signal);
  } finally {
    watch.stop();
  }
}

async function send(
  server: ModelServer,
  method: "GET" | "POST",
  path: string,
  body: JsonObject | null,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const key = server.apiKey();
  const [base, query] = server.endpoint.split("?", 2);
  const response = await server.http.request({
    method,
    url: `${base}${path}${query === undefined ? "" : `?${query}`}`,
    headers: {
      "user-agent": "astromesh",
      ...(body === null ? {} : { "content-type": "application/json" }),
      ...(key === null
        ? {}
        : { [server.keyHeader ?? "authorization"]: server.keyHeader === null ? `Bearer ${key}` : key }),
      ...headers,
    },
    body: body === null ? null : JSON.stringify(body),
    signal,
  });
  if (response.status >= 200 && response.status < 300) return response;
  throw refused(server, path, response, await readText(response.body, ERROR_BODY_BYTES));
}
