import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A TCP server that answers every connection with recorded bytes. */
export interface ReplayServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Plays recordings back, byte for byte, once a whole request has come.
 *
 * @param recordings a file for each request line's method and path, such as `POST /api/chat`
 * @param pieceBytes write so many bytes at a time, each in a turn of its own; null writes all at once
 */
export async function startReplayServer(
  recordings: Readonly<Record<string, URL>>,
  pieceBytes: number | null = null,
): Promise<ReplayServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).on("error", () => {});
    let request = "";
    socket.on("data", (chunk) => {
      request += chunk.toString("latin1");
      const head = request.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
      if (head < 0 || request.length < head + 4 + length) return;
      const route = request.split(" ").slice(0, 2).join(" ");
      const file = recordings[route];
      if (file === undefined) socket.destroy(new Error(`no recording for ${route}`));
      else play(socket, readFileSync(file), pieceBytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function play(socket: Socket, bytes: Buffer, pieceBytes: number | null): void {
  if (pieceBytes === null) {
    socket.end(bytes);
    return;
  }
  let at = 0;
  const next = (): void => {
    if (socket.destroyed) return;
    if (at >= bytes.length) socket.end();
    else socket.write(bytes.subarray(at, (at += pieceBytes)), () => setImmediate(next));
  };
  next();
}
