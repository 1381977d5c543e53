/** One fault of a request or a document. */
export interface Fault {
  /** Where, such as `images.0.url`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** A node answered with an error. */
export class AstromeshApiError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The stable code, such as `agent_not_found`; `http_<status>` when the answer was none of Astromesh's. */
  readonly code: string;
  /** For people. */
  readonly detail: string;
  /** The fields or places at fault; empty when the error is not about any. */
  readonly errors: readonly Fault[];
  /** The run that the error is about. */
  readonly runId: string | null;
  /** When to try again, in milliseconds; null when the node did not say. */
  readonly retryAfterMs: number | null;
  /** The whole body. */
  readonly body: unknown;

  constructor(response: Response, body: unknown) {
    const {
      detail,
      code,
      errors,
      run_id: runId,
    } = (typeof body === "object" && body !== null ? body : {}) as {
      detail?: string;
      code?: string;
      errors?: readonly Fault[];
      run_id?: string;
    };
    const text = detail ?? (typeof body === "string" && body !== "" ? body : response.statusText);
    super(text);
    this.name = "AstromeshApiError";
    this.status = response.status;
    this.code = code ?? `http_${response.status}`;
    this.detail = text;
    this.errors = errors ?? [];
    this.runId = runId ?? null;
    const retryAfter = Number(response.headers.get("retry-after") ?? "nothing");
    this.retryAfterMs = Number.isFinite(retryAfter) ? retryAfter * 1_000 : null;
    this.body = body;
  }
}

/** No node could be reached, or the connection broke before there was an answer. `cause` has the network's reason. */
export class AstromeshConnectionError extends Error {
  readonly url: string;

  constructor(url: string, cause: unknown) {
    const reason = rootMessage(cause);
    super(`cannot reach ${url}${reason === "" ? "" : `: ${reason}`}`, { cause });
    this.name = "AstromeshConnectionError";
    this.url = url;
  }
}

/** What fetch wraps as "fetch failed" says in its cause why. */
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return rootMessage(error.cause) || error.message;
}

/** The error of an answer that is none of success. */
export async function apiErrorOf(response: Response): Promise<AstromeshApiError> {
  // Where the connection breaks before the reason is told, the status is all there is.
  const text = await response.text().catch(() => "");
  try {
    return new AstromeshApiError(response, JSON.parse(text));
  } catch {
    return new AstromeshApiError(response, text);
  }
}
