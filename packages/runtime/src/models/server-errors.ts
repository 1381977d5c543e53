import { AstromeshError, formatDuration, isJsonObject } from "../core/index.ts";
import type { Clock, ErrorCode, Json } from "../core/index.ts";
import { connectionFault, retryAfterMs } from "../net/index.ts";
import type { ConnectionFault, HttpClient, HttpResponse } from "../net/index.ts";
import { objectOf, parseJson, textOf } from "./read-json.ts";

/** What every provider that speaks HTTP is made of. */
export interface ProviderDeps {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** An id for a tool call whose server sends none. */
  readonly newCallId: () => string;
}

/** A model server as its errors name it. */
export interface ModelServer extends ProviderDeps {
  /** Such as `Ollama`. */
  readonly label: string;
  /** Base URL without a slash at the end; a query is sent with every request. */
  readonly endpoint: string;
  /** The key to send; null for none. Read at each call, so that a new value needs no restart. */
  readonly apiKey: () => string | null;
  /** The header that the key goes into as it is; null sends it as a bearer token. */
  readonly keyHeader: string | null;
  /** What this server means by an error, where its status alone does not say. */
  readonly explain: (status: number, message: string) => { readonly code: ErrorCode; readonly message: string } | null;
}

/** An answer that makes no sense. */
export function notUnderstood(server: ModelServer, what: string): AstromeshError {
  return new AstromeshError(
    "model_bad_response",
    `The answer of ${where(server)} could not be understood: ${hide(server, what)}.`,
  );
}

/**
 * What a piece is that should have been JSON. A page of HTML is worth showing; what begins like JSON may be part of
 * somebody's answer, which does not belong into errors and logs.
 */
export function notJson(text: string): string {
  return text.startsWith("{")
    ? `a piece of ${text.length} characters is broken JSON`
    : `a piece is no JSON object: ${text.slice(0, 60)}`;
}

/** An answer that broke off. */
export function brokenOff(server: ModelServer, what: string, cause?: unknown): AstromeshError {
  return new AstromeshError("model_stream_broken", `The answer of ${where(server)} broke off: ${hide(server, what)}.`, {
    cause,
  });
}

/** The words of an error body, whichever of the usual shapes it has. */
export function errorMessage(body: Json | undefined, text: string): string {
  const object = isJsonObject(body) ? body : {};
  const nested = objectOf(object, "error");
  const words = textOf(nested, "message") || textOf(object, "error") || textOf(object, "message") || text;
  return words.replaceAll(/\s+/g, " ").trim().slice(0, 500);
}

/** A status that is no success. */
export function refused(server: ModelServer, path: string, response: HttpResponse, text: string): AstromeshError {
  const { status } = response;
  const body = parseJson(text);
  const words = hide(server, errorMessage(body, text) || "no reason given");
  const known = server.explain(status, words);
  const waitMs = retryAfterMs(response.headers, server.clock.now());
  const options = { details: { status }, ...(waitMs === null ? {} : { retryAfterMs: waitMs }) };
  if (known !== null) return new AstromeshError(known.code, known.message, options);
  const says = `${where(server)} answered ${status}: ${words}`;
  if (status === 401 || status === 403) {
    const hint = server.apiKey() === null ? "no key was sent; set api_key_env" : "check the key";
    return new AstromeshError("model_auth", `${says} (${hint}).`, options);
  }
  if (status === 404 && body === undefined) {
    return new AstromeshError("model_rejected", `${says} (${path} is not there; is the endpoint right?).`, options);
  }
  if (status >= 300 && status < 400) {
    return new AstromeshError("model_rejected", `${says} (a redirect; set its target as the endpoint).`, options);
  }
  if (status === 429) {
    // OpenAI says 429 as well when the account has no money left; waiting does not help then.
    const code = textOf(objectOf(isJsonObject(body) ? body : {}, "error"), "code");
    return new AstromeshError("model_rate_limited", says, { ...options, retryable: code !== "insufficient_quota" });
  }
  return new AstromeshError(codeOf(status), says, options);
}

function codeOf(status: number): ErrorCode {
  if (status === 404) return "model_not_found";
  if (status === 408) return "model_timeout";
  return status >= 500 ? "model_unavailable" : "model_rejected";
}

/** Whatever was thrown on the way, as the one error to throw: the signal's reason first. */
export function fold(server: ModelServer, error: unknown, answered: boolean, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AstromeshError) return error;
  if (error instanceof RangeError) return notUnderstood(server, error.message);
  return answered ? brokenOff(server, "the connection was closed", error) : unreachable(server, error);
}

const NO_ANSWER: Readonly<Record<Exclude<ConnectionFault, "other">, (at: string) => string>> = {
  refused: (at) => `${at} refused the connection; is it running?`,
  dns: (at) => `The host of ${at} has no address; check the endpoint.`,
  unreachable: (at) => `${at} cannot be reached; check the network and the endpoint.`,
  reset: (at) => `${at} closed the connection before it answered.`,
  tls: (at) => `The certificate of ${at} is not trusted.`,
  protocol: (at) => `${at} does not speak HTTP; check the scheme and the port.`,
};

function unreachable(server: ModelServer, cause: unknown): AstromeshError {
  const fault = connectionFault(cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  const at = where(server);
  const text = fault === "other" ? `${at} could not be asked: ${reason}.` : NO_ANSWER[fault](at);
  return new AstromeshError("model_unavailable", text, { cause });
}

/** A server that says nothing. */
export function silent(server: ModelServer, limitMs: number): AstromeshError {
  const text = `${where(server)} sent nothing for ${formatDuration(limitMs)}; raise the model's timeout if it is only slow.`;
  return new AstromeshError("model_timeout", text);
}

function where(server: ModelServer): string {
  return `${server.label} at ${shownEndpoint(server.endpoint)}`;
}

/** An endpoint for people's eyes: without its query, which may hold a key. */
export function shownEndpoint(endpoint: string): string {
  return endpoint.replace(/\?.*$/s, "");
}

/** Servers like to repeat the key that they refuse. */
function hide(server: ModelServer, text: string): string {
  const key = server.apiKey();
  return key === null ? text : text.replaceAll(key, "[hidden]");
}
