import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";

import { startFaultProxy, waitFor } from "./index.ts";
import type { FaultProxy } from "./index.ts";

const server = createServer((_, response) => response.end("hello"));
let proxy: FaultProxy;

beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await startFaultProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.stop();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

const ask = (signal?: AbortSignal): Promise<string> =>
  fetch(proxy.url, signal === undefined ? {} : { signal }).then((response) => response.text());

test("passes bytes, cuts, and passes again", async () => {
  expect(await ask()).toBe("hello");
  proxy.set({ kind: "cut" });
  await expect(ask()).rejects.toThrow("fetch failed");
  proxy.set({ kind: "none" });
  expect(await ask()).toBe("hello");
});

test("delays each way", async () => {
  proxy.set({ kind: "delay", delayMs: 60 });
  const startedMs = performance.now();
  expect(await ask()).toBe("hello");
  expect(performance.now() - startedMs).toBeGreaterThan(110);
});

test("a black hole answers nothing", async () => {
  proxy.set({ kind: "blackhole" });
  await expect(ask(AbortSignal.timeout(100))).rejects.toThrow("aborted due to timeout");
});

test("waitFor says what it waited for, and why it did not come", async () => {
  await expect(
    waitFor(
      "the moon",
      () => {
        throw new Error("it is day");
      },
      50,
    ),
  ).rejects.toMatchObject({ message: "waited 50 ms in vain for: the moon", cause: { message: "it is day" } });
});
