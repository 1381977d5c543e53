/** Why no answer came. `reset`: the connection stood and broke. `protocol`: whoever answers does not speak HTTP. */
export type ConnectionFault = "refused" | "dns" | "unreachable" | "reset" | "tls" | "protocol" | "other";

const BY_CODE: Readonly<Record<string, ConnectionFault>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  EAI_NODATA: "dns",
  UND_ERR_CONNECT_TIMEOUT: "unreachable",
  ETIMEDOUT: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "reset",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls",
  SELF_SIGNED_CERT_IN_CHAIN: "tls",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls",
  UNABLE_TO_GET_ISSUER_CERT: "tls",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls",
};

const BY_PREFIX: readonly (readonly [string, ConnectionFault])[] = [
  ["ERR_TLS_", "tls"],
  ["ERR_SSL_", "tls"],
  ["CERT_", "tls"],
  ["HPE_", "protocol"],
  ["UND_ERR_HEADERS_OVERFLOW", "protocol"],
];

/**
 * What a failed request met, from the codes of Node and undici. Looks through causes and through the attempts of a
 * name with several addresses (an AggregateError, whose first known member decides).
 */
export function connectionFault(error: unknown): ConnectionFault {
  for (const part of parts(error, 0)) {
    const code = "code" in part && typeof part.code === "string" ? part.code : "";
    const known = BY_CODE[code] ?? BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1];
    if (known !== undefined) return known;
  }
  return "other";
}

function* parts(error: unknown, depth: number): Generator<Error> {
  if (!(error instanceof Error) || depth > 4) return;
  yield error;
  if (error instanceof AggregateError) for (const member of error.errors) yield* parts(member, depth + 1);
  yield* parts(error.cause, depth + 1);
}
