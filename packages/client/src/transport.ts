import createFetchClient from "openapi-fetch";

import { AstromeshApiError, AstromeshConnectionError } from "./errors.ts";
import type { paths } from "./generated/api.ts";

/** Where a node is, and how to talk to it. */
export interface ClientOptions {
  /** Such as `http://localhost:8000`. */
  readonly url: string;
  readonly apiKey?: string;
  /** Headers for every request, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the global fetch */
  readonly fetch?: typeof fetch;
}

/** A request whose answer is a stream. A GET, unless there is a body. */
interface StreamInit {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** A node over HTTP. */
export interface Transport {
  /** Every route of the OpenAPI document, typed; errors are values. */
  readonly api: ReturnType<typeof createFetchClient<paths>>;
  /** A request whose answer is a stream. Throws `AstromeshConnectionError`; other answers are for the caller. */
  stream(path: string, init: StreamInit): Promise<Response>;
}

/** Makes it. */
export function createTransport(options: ClientOptions): Transport {
  const base = options.url.replace(/\/+$/, "");
  const headers = {
    ...options.headers,
    ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
  };
  const send: typeof fetch = (input, init) => (options.fetch ?? globalThis.fetch)(input, init);
  const reach = async (signal: AbortSignal | undefined, work: () => Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      // The caller's own wish to stop is no fault of the network.
      signal?.throwIfAborted();
      throw new AstromeshConnectionError(base, error);
    }
  };
  return {
    api: createFetchClient<paths>({
      baseUrl: base,
      headers,
      fetch: (request) => reach(request.signal, async () => readWhole(await send(request))),
    }),
    stream: (path, { body, headers: more, signal }) =>
      reach(signal, () =>
        send(`${base}${path}`, {
          headers: { ...headers, accept: "text/event-stream", ...more },
          ...(body === undefined ? {} : { method: "POST", body }),
          ...(signal === undefined ? {} : { signal }),
        }),
      ),
  };
}

/** Reads an answer to its end here, where a connection that breaks in the middle of it is told like any other. */
async function readWhole(response: Response): Promise<Response> {
  const body = await response.arrayBuffer();
  return new Response(body.byteLength === 0 ? null : body, response);
}

/** What openapi-fetch resolves to. */
interface Outcome<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The data of an answer, or its error thrown. */
export async function unwrap<T>(asked: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new AstromeshApiError(response, error);
  return data as T;
}
