import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

import { afterEach, expect, test, vi } from "vitest";

import { temporaryDirectory } from "../../test/fakes/index.ts";
import { createNotifier } from "./sd-notify.ts";

interface Receiver {
  readonly messages: readonly string[];
  close(): void;
}

/** A service manager's end of the notify socket: a real unix datagram socket. */
function receiver(path: string): Receiver {
  const dgram = createRequire(import.meta.url)("unix-dgram") as {
    createSocket(type: string, listener: (message: Buffer) => void): { bind(path: string): void; close(): void };
  };
  const messages: string[] = [];
  const socket = dgram.createSocket("unix_dgram", (message) => messages.push(message.toString()));
  socket.bind(path);
  return { messages, close: () => socket.close() };
}

function fail(error: Error): never {
  throw error;
}

afterEach(() => void vi.unstubAllEnvs());

test("tells readiness, reloads and the stop by datagram from this process", async () => {
  const path = join(temporaryDirectory(), "notify.sock");
  const manager = receiver(path);
  const notifier = createNotifier(path, fail);
  await notifier.ready("Serving requests");
  await notifier.reloading();
  await notifier.ready("Reloaded");
  await notifier.stopping("Draining");
  await vi.waitFor(() => expect(manager.messages).toHaveLength(4));
  manager.close();
  expect(manager.messages[0]).toBe("READY=1\nSTATUS=Serving requests");
  expect(manager.messages[1]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  expect(manager.messages.slice(2)).toEqual(["READY=1\nSTATUS=Reloaded", "STOPPING=1\nSTATUS=Draining"]);
});

test.each([undefined, ""])("is a no-op when NOTIFY_SOCKET is %j", async (socket) => {
  await createNotifier(socket, fail).ready("Serving requests");
});

test("a manager that is gone is reported and fails nothing", async () => {
  const errors: Error[] = [];
  const notifier = createNotifier(join(temporaryDirectory(), "none.sock"), (error) => errors.push(error));
  await notifier.ready("Serving requests");
  expect(errors).toHaveLength(1);
});

test("an abstract address goes through systemd-notify without blocking", async () => {
  const directory = temporaryDirectory();
  const seen = join(directory, "seen");
  writeFileSync(join(directory, "systemd-notify"), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" > ${seen}\n`);
  chmodSync(join(directory, "systemd-notify"), 0o755);
  vi.stubEnv("PATH", `${directory}${delimiter}${process.env["PATH"] ?? ""}`);
  await createNotifier("@/org/manager", fail).stopping("Draining");
  expect(existsSync(seen)).toBe(true);
  expect(readFileSync(seen, "utf8")).toBe("@/org/manager --no-block STOPPING=1 STATUS=Draining\n");
});
