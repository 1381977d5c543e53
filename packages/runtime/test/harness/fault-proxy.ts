import { createConnection, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** What a fault proxy does to bytes. */
export type Fault =
  | { readonly kind: "none" }
  /** Refuses new connections and resets open ones. */
  | { readonly kind: "cut" }
  /** Takes connections and bytes, and gives nothing back: a network that drops packets. */
  | { readonly kind: "blackhole" }
  /** Holds each chunk back for this long. */
  | { readonly kind: "delay"; readonly delayMs: number };

/** A TCP proxy on loopback between two processes, whose faults are set while it runs. */
export interface FaultProxy {
  readonly port: number;
  readonly url: string;
  set(fault: Fault): void;
  stop(): Promise<void>;
}

/** Starts a proxy to a port on loopback. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  let fault: Fault = { kind: "none" };
  const sockets = new Set<Socket>();

  const pass = (from: Socket, to: Socket): void => {
    from.on("data", (chunk: Buffer) => {
      if (fault.kind === "blackhole") return;
      if (fault.kind === "delay") setTimeout(() => to.write(chunk), fault.delayMs);
      else to.write(chunk);
    });
    from.on("end", () => {
      if (fault.kind !== "blackhole") to.end();
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      // In a black hole not even the end of a connection gets through.
      if (fault.kind !== "blackhole") to.destroy();
    });
  };

  const server = createServer((client) => {
    if (fault.kind === "cut") {
      client.resetAndDestroy();
      return;
    }
    const target = createConnection(targetPort, "127.0.0.1");
    sockets.add(client).add(target);
    pass(client, target);
    pass(target, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    set(next) {
      fault = next;
      if (next.kind === "cut") reset();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
}
