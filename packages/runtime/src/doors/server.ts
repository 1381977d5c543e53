import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { getRequestListener } from "@hono/node-server";
import type { HttpBindings } from "@hono/node-server";

import { AstromeshError } from "../core/index.ts";
import type { Clock } from "../core/index.ts";
import type { Logger } from "../core/ports/index.ts";
import type { Drain } from "./drain.ts";

/** What the server hands requests to. */
export type FetchHandler = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** Where the server listens, and its limits. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long an idle connection is kept, in milliseconds: longer than common load balancers' 60 s. @default 65000 */
  readonly keepAliveMs?: number;
}

/** The node's one HTTP server. */
export interface HttpServer {
  /** Resolves when it listens; rejects with `config_invalid` when the address cannot be had. */
  start(): Promise<void>;
  /** The address it listens on; null before `start` and after `stop`. */
  address(): { readonly host: string; readonly port: number } | null;
  /** Refuses new work with 503 and `Connection: close`, but goes on listening. Idempotent. */
  drain(): void;
  /** Ends streams, waits up to `graceMs` for answers under way, then cuts what is left. Idempotent. */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Serves a fetch handler over HTTP/1.1. Drain and stop are two steps: between them the node finishes its runs while
 * clients may still read them. What may be read while draining is the door's to say; the connection is closed here.
 */
export function createHttpServer(
  deps: { readonly fetch: FetchHandler; readonly drain: Drain; readonly clock: Clock; readonly logger: Logger },
  options: HttpServerOptions,
): HttpServer {
  const { drain, logger } = deps;
  const listener = getRequestListener((request, env) => deps.fetch(request, env as HttpBindings), {
    errorHandler: (error) => unreadable(error, logger),
  });
  const silent = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    silent.delete(incoming.socket);
    if (drain.draining) outgoing.setHeader("connection", "close");
    outgoing.once("close", () => {
      if (drain.draining) server.closeIdleConnections();
    });
    void listener(incoming, outgoing);
  });
  server.keepAliveTimeout = options.keepAliveMs ?? 65_000;
  server.on("clientError", refuseRaw);
  server.on("connection", (socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  let stopped: Promise<void> | null = null;

  return {
    start: () => listen(server, options),
    address() {
      const bound = server.address() as AddressInfo | null;
      return bound === null ? null : { host: bound.address, port: bound.port };
    },
    drain: () => drain.begin(),
    stop({ graceMs }) {
      drain.closeStreams();
      stopped ??= close(server, graceMs, deps.clock);
      // Opened ahead of need, as browsers and pools do. To Node these are not idle, and it would wait for them.
      for (const socket of silent) socket.destroy();
      return stopped;
    },
  };
}

function listen(server: Server, options: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      reject(
        new AstromeshError("config_invalid", `cannot listen on ${options.host}:${options.port}: ${cause.message}`, {
          cause,
        }),
      );
    };
    server.once("error", onError);
    server.listen(options.port, options.host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function close(server: Server, graceMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const closed = new AbortController();
    clock.sleep(graceMs, closed.signal).then(
      () => server.closeAllConnections(),
      () => undefined,
    );
    // `close` fails only when the server never listened: nothing is left to close then either.
    server.close(() => {
      closed.abort();
      resolve();
    });
  });
}

/** A request that never became one (a bad host header, an impossible URL), or a defect below the door. */
function unreadable(error: unknown, logger: Logger): Response {
  if (error instanceof Error && error.name === "RequestError") {
    return Response.json({ detail: error.message, code: "invalid_request" }, { status: 400 });
  }
  logger.error("a request could not be answered", { error });
  return Response.json({ detail: "internal error", code: "internal" }, { status: 500 });
}

const RAW_STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Answers bytes that are not HTTP. Nothing may be written to a connection that the other end has reset. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket | NodeJS.WritableStream): void {
  const connection = socket as Socket;
  if (error.code === "ECONNRESET" || !connection.writable) {
    connection.destroy();
    return;
  }
  const status = RAW_STATUS[error.code ?? ""] ?? "400 Bad Request";
  const body = JSON.stringify({ detail: status.slice(4), code: "invalid_request" });
  connection.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** The address of a request's other end; null when it did not come through this server. */
export function peerAddressOf(env: Partial<HttpBindings> | undefined): string | null {
  return env?.incoming?.socket.remoteAddress ?? null;
}
