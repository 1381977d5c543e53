import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { startFakeProvider } from "../../fakes/fake-provider/index.ts";
import type { FakeProvider } from "../../fakes/fake-provider/index.ts";
import { createTestNode, waitFor } from "../../harness/index.ts";
import type { NodeOptions, TestNode } from "../../harness/index.ts";

/** One real daemon and one fake model server for all tests of a file. */
export interface SharedNode {
  readonly node: TestNode;
  readonly provider: FakeProvider;
}

/** Log lines that nothing but a defect of ours writes. */
const DEFECTS = ["a request failed", "a request could not be answered", "the loop failed", "the scheduler stopped"];

/**
 * Starts them before the file's tests. After each test the node must still be the same living process, and its log
 * free of defects: whatever a client, a model or a disk does, this holds.
 */
export function shareNode(setUp: (provider: FakeProvider) => NodeOptions): SharedNode {
  let node: TestNode | null = null;
  let provider: FakeProvider | null = null;
  beforeAll(async () => {
    provider = await startFakeProvider();
    node = createTestNode(setUp(provider));
    await startReady(node);
  });
  afterEach(async () => {
    await provider?.reset();
    expectHealthy(running());
  });
  afterAll(async () => {
    await node?.dispose();
    await provider?.stop();
  });
  const running = (): TestNode => {
    if (node === null) throw new Error("the node was not started");
    return node;
  };
  return {
    get node() {
      return running();
    },
    get provider() {
      if (provider === null) throw new Error("the provider was not started");
      return provider;
    },
  };
}

/** Starts a node and waits for its database too: on a busy machine it listens before that is open. */
export async function startReady(node: TestNode): Promise<void> {
  await node.start();
  await waitFor("the node is ready", async () => (await node.fetch("/ready")).status === 200);
}

/** The process lives and has met no defect of its own. */
export function expectHealthy(node: TestNode): void {
  expect(node.child.process.exitCode, node.child.output()).toBeNull();
  for (const message of DEFECTS) expect(node.logged(message)).toEqual([]);
}
