import { existsSync } from "node:fs";

import { expect, onTestFinished, test } from "vitest";

import { createTestNode, startFaultProxy, waitFor } from "./index.ts";

test("a node is paused and goes on, is cut off and back, and leaves nothing behind", async () => {
  const node = createTestNode({ name: "paused" });
  onTestFinished(() => node.dispose());
  await node.start();
  const proxy = await startFaultProxy(node.port);
  const healthy = async (timeoutMs = 10_000): Promise<boolean> =>
    (await fetch(`${proxy.url}/health`, { signal: AbortSignal.timeout(timeoutMs) })).ok;
  expect(await healthy()).toBe(true);
  node.pause();
  await expect(healthy(300)).rejects.toThrow("aborted due to timeout");
  node.resume();
  expect(await healthy()).toBe(true);
  proxy.set({ kind: "cut" });
  await expect(healthy()).rejects.toThrow("fetch failed");
  proxy.set({ kind: "none" });
  // The client may still hold a connection that was reset.
  await waitFor("the way back", () => healthy());
  await proxy.stop();
  await node.dispose();
  expect(existsSync(node.directory)).toBe(false);
});
