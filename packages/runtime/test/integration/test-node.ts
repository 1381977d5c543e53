import { onTestFinished } from "vitest";

import { startPostgres } from "../fakes/embedded-postgres.ts";
import { startFakeProvider } from "../fakes/fake-provider/index.ts";
import type { FakeProvider } from "../fakes/fake-provider/index.ts";
import { createTestNode } from "../harness/index.ts";
import type { NodeOptions, TestNode } from "../harness/index.ts";

/** A node that is disposed of when the test ends. It runs only after `start`. */
export function testNode(options: NodeOptions = {}): TestNode {
  const node = createTestNode(options);
  onTestFinished(() => node.dispose());
  return node;
}

/** A fake model server that is stopped when the test ends. */
export async function testProvider(): Promise<FakeProvider> {
  const provider = await startFakeProvider();
  onTestFinished(() => provider.stop());
  return provider;
}

/** An empty PostgreSQL database; its server ends with the test. */
export async function testDatabase(): Promise<string> {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  return postgres.createDatabase();
}

/** The file of an agent on a fake Ollama. */
export function agentFile(name: string, provider: FakeProvider, spec: Readonly<Record<string, unknown>> = {}): string {
  // JSON is YAML.
  return JSON.stringify({
    apiVersion: "astromesh/v1",
    kind: "Agent",
    metadata: { name },
    spec: {
      identity: { description: "answers tests" },
      model: { primary: { provider: "ollama", model: "fake:latest", endpoint: provider.ollamaUrl } },
      prompts: { system: "Be brief." },
      ...spec,
    },
  });
}
