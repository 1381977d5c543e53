import { createServer } from "node:http";
import type { IncomingHttpHeaders, RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as a test server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Read to its end before the listener runs. */
  readonly body: string;
}

/** A real HTTP server on loopback that writes down what it is asked. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly SeenRequest[];
}

/** Starts servers for a test and stops them all together. */
export interface TestServers {
  serve(listener: RequestListener): Promise<TestServer>;
  /** Cuts every connection and frees the ports. */
  stop(): Promise<void>;
}

/** Makes an empty set of servers. */
export function createTestServers(): TestServers {
  const servers: Server[] = [];
  return {
    serve: async (listener) => {
      const seen: SeenRequest[] = [];
      const server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const { method = "", url = "", headers } = request;
          seen.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() });
          listener(request, response);
        });
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      return { url: `http://127.0.0.1:${port}`, port, seen };
    },
    stop: async () => {
      const stopping = servers.splice(0);
      for (const server of stopping) server.closeAllConnections();
      await Promise.all(stopping.map(async (server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
