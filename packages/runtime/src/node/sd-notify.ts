import { spawn } from "node:child_process";

/**
 * Tells the service manager how the daemon does, by the protocol of sd_notify(3). Everything is a no-op without
 * NOTIFY_SOCKET. Nothing here ever fails a start: a manager that cannot be told will say so itself.
 */
export interface Notifier {
  /** `READY=1`: started, or done with a reload. */
  ready(status: string): Promise<void>;
  /** `RELOADING=1`; say `ready` when done. */
  reloading(): Promise<void>;
  /** `STOPPING=1`. */
  stopping(status: string): Promise<void>;
}

/** The part of unix-dgram that is used; it is an optional dependency and has no types. */
interface UnixDgram {
  createSocket(type: "unix_dgram"): {
    on(event: "error", listener: (error: Error) => void): void;
    send(message: Buffer, offset: number, length: number, path: string, done: (error?: Error) => void): void;
    close(): void;
  };
}

const UNIX_DGRAM: string = "unix-dgram";

/**
 * Makes a notifier.
 *
 * Datagrams are sent from this very process, because a unit without NotifyAccess listens to the main process only.
 * Where unix-dgram is not installed, or the address is an abstract one (`@..`), which it cannot write, systemd-notify
 * is spawned; such a unit needs `NotifyAccess=all`.
 *
 * @param socket the value of NOTIFY_SOCKET.
 */
export function createNotifier(socket: string | undefined, onError: (error: Error) => void): Notifier {
  const send = async (...lines: string[]): Promise<void> => {
    if (socket === undefined || socket === "") return;
    try {
      const dgram = socket.startsWith("@") ? null : await loadUnixDgram();
      if (dgram === null) await spawnNotify(socket, lines);
      else await sendDatagram(dgram, socket, lines.join("\n"));
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return {
    ready: (status) => send("READY=1", `STATUS=${status}`),
    // systemd wants CLOCK_MONOTONIC, which is what hrtime reads, to tell this reload from an older one.
    reloading: () => send("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: (status) => send("STOPPING=1", `STATUS=${status}`),
  };
}

async function loadUnixDgram(): Promise<UnixDgram | null> {
  try {
    return ((await import(UNIX_DGRAM)) as { default: UnixDgram }).default;
  } catch {
    return null;
  }
}

function sendDatagram(dgram: UnixDgram, path: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket("unix_dgram");
    socket.on("error", reject);
    const message = Buffer.from(text);
    socket.send(message, 0, message.length, path, (error) => {
      socket.close();
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

function spawnNotify(socket: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Without --no-block it waits for an answer that only the main process would get.
    const child = spawn("systemd-notify", ["--no-block", ...lines], {
      stdio: "ignore",
      env: { ...process.env, NOTIFY_SOCKET: socket },
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify ended with code ${code}`));
    });
  });
}
