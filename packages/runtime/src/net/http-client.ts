import { Agent } from "undici";

/** One request. Redirects are not followed: whoever sends a key must see where it would go. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Ends the request and frees its connection at any time, also while the body is read. */
  readonly signal: AbortSignal;
}

/** An answer whose body has yet to be read, or be left: leaving its iteration early closes the connection. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Pooled HTTP connections, one pool per origin. */
export interface HttpClient {
  /** Rejects with the signal's reason when it aborts, else with the socket's error (see connection-fault.ts). */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes idle connections and waits for those in use. Idempotent. */
  stop(): Promise<void>;
}

/** What can be set. */
export interface HttpClientOptions {
  /** How long a TCP and TLS connection may take to stand. Milliseconds, 5,000 by default. */
  readonly connectTimeoutMs?: number;
}

/**
 * A client over undici's own `request`: it passes backpressure on to the socket and costs a fraction of `fetch`.
 * undici's two timeouts are off, because both measure bytes and know one value per pool: how long a model may be
 * silent is told per call and kept by `watchSilence`.
 *
 * Idle connections are kept for 4 s (undici's default), just under the 5 s after which uvicorn and Node close theirs.
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.connectTimeoutMs ?? 5_000 },
  });
  let stopped: Promise<void> | null = null;
  return {
    async request({ method, url, headers, body, signal }) {
      signal.throwIfAborted();
      const { origin, pathname, search } = new URL(url);
      const response = await agent.request({ origin, path: pathname + search, method, headers, body, signal });
      // Errors of the body belong to whoever reads it; one that comes before must not end the process.
      response.body.on("error", () => {});
      return { status: response.statusCode, headers: response.headers, body: response.body };
    },
    stop() {
      stopped ??= agent.close();
      return stopped;
    },
  };
}

/** The body as text, at most `limitBytes` of it; what is longer is cut and its connection closed. */
export async function readText(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes >= limitBytes) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, limitBytes));
}
