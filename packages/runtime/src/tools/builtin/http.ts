import { AstromeshError } from "../../core/index.ts";
import type { Json, JsonObject } from "../../core/index.ts";
import type { ToolScope } from "../../core/ports/index.ts";
import type { Egress, EgressResponse } from "../../net/index.ts";

const DEFAULT_RESPONSE_BYTES = 256 * 1024;
const MOST_RESPONSE_BYTES = 16 * 1024 * 1024;

/** Headers that frame the message or name its receiver; they follow from the URL and the body. */
const RESERVED_HEADERS = new Set(
  "connection content-length expect host keep-alive te trailer transfer-encoding upgrade idempotency-key".split(" "),
);

/** Argument schema of free headers. */
export const HEADERS: JsonObject = { type: "object", additionalProperties: { type: "string" } };

/** The config members that every HTTP tool has. */
export const HTTP_CONFIG: JsonObject = {
  allow_private: { type: "boolean", description: "Reach private and loopback addresses. Default: false" },
  hosts: {
    type: "array",
    items: { type: "string", minLength: 1 },
    description: "The only hosts to reach, such as api.example.com, *.example.com, localhost:8080. Default: any",
  },
  headers: { ...HEADERS, description: "Sent with each call, such as keys; they stay on the first host" },
  idempotent: { type: "boolean", description: "The server takes a repeated Idempotency-Key once. Default: false" },
  max_response_bytes: {
    type: "integer",
    minimum: 1,
    maximum: MOST_RESPONSE_BYTES,
    description: `What of an answer is read. Default: ${DEFAULT_RESPONSE_BYTES}`,
  },
};

/** Where the model names the URL, the config's headers must not go wherever it says. */
export function headersNeedHosts(config: JsonObject): string | null {
  const loose = config["headers"] !== undefined && config["hosts"] === undefined;
  return loose ? '"headers" needs "hosts": without, they would go to any server that the model names' : null;
}

/** One HTTP call of a tool. */
export interface HttpCall {
  readonly method: string;
  readonly url: string;
  /** As the model gave them. */
  readonly headers: JsonObject;
  /** Added by the tool itself, such as a signature. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Sends a call under the config's limits, with the effect's key and the trace. */
export async function send(
  egress: Egress,
  call: HttpCall,
  config: JsonObject,
  scope: ToolScope,
): Promise<EgressResponse> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(call.headers as Record<string, string>)) {
    if (RESERVED_HEADERS.has(name.toLowerCase())) {
      throw new AstromeshError("tool_invalid_arguments", `the header "${name}" is set by the node`);
    }
    headers[name.toLowerCase()] = value;
  }
  if (scope.traceparent !== null) headers["traceparent"] = scope.traceparent;
  if (call.method !== "GET" && call.method !== "HEAD") headers["idempotency-key"] = scope.idempotencyKey;
  return egress.request({
    method: call.method,
    url: call.url,
    headers: { ...headers, ...call.ownHeaders },
    secretHeaders: (config["headers"] ?? {}) as Record<string, string>,
    body: call.body,
    policy: {
      allowPrivate: config["allow_private"] === true,
      hosts: (config["hosts"] ?? null) as readonly string[] | null,
    },
    maxResponseBytes: (config["max_response_bytes"] ?? DEFAULT_RESPONSE_BYTES) as number,
    signal: scope.signal,
  });
}

/** An answer as a tool's result: JSON as data, other text as text, the rest as base64. */
export function resultOf(response: EgressResponse): JsonObject {
  const { "set-cookie": _cookie, ...headers } = response.headers;
  return {
    status: response.status,
    url: response.url,
    headers,
    ...bodyOf(response),
    ...(response.truncated ? { truncated: true } : {}),
  };
}

function bodyOf({ body, headers, truncated }: EgressResponse): JsonObject {
  const type = headers["content-type"] ?? "";
  const text = decode(body, /charset="?([\w-]+)/i.exec(type)?.[1] ?? "utf-8", truncated);
  if (text === null) return { body_base64: Buffer.from(body).toString("base64") };
  if (!truncated && /^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) {
    try {
      return { body: JSON.parse(text) as Json };
    } catch {
      return { body: text };
    }
  }
  return { body: text };
}

/** Null when the bytes are not text of that encoding. A cut body may end inside a character. */
function decode(body: Uint8Array, charset: string, cut: boolean): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body, { stream: cut });
  } catch {
    return null;
  }
}
