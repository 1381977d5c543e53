import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { spawnFakeProvider } from "../packages/runtime/test/fakes/fake-provider/index.ts";
import type { FakeProvider } from "../packages/runtime/test/fakes/fake-provider/index.ts";
import { createTestNode } from "../packages/runtime/test/harness/index.ts";
import type { TestNode } from "../packages/runtime/test/harness/index.ts";

/** What the HTTP sections measure: a model's server, a bare proxy before it, and a node before it. */
export interface Subjects {
  readonly provider: FakeProvider;
  readonly proxy: { readonly url: string; readonly pid: number };
  readonly node: TestNode;
  stop(): Promise<void>;
}

const bareProxy = fileURLToPath(new URL("baselines/bare-proxy.ts", import.meta.url));

/** Starts the three, each in a process of its own; the node as it is shipped (built). */
export async function startSubjects(): Promise<Subjects> {
  process.env["ASTROMESH_TEST_DIST"] = "1";
  const provider = await spawnFakeProvider({ record: false });
  const child = spawn(process.execPath, ["--import", "tsx", bareProxy, `${provider.ollamaUrl}/api/chat`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [port] = (await once(createInterface(child.stdout), "line")) as [string];
  const node = createTestNode({
    name: "bench",
    files: { "agents/bench.agent.yaml": benchAgent(provider.ollamaUrl) },
  });
  await node.start();
  return {
    provider,
    proxy: { url: `http://127.0.0.1:${port}/`, pid: child.pid ?? 0 },
    node,
    stop: async () => {
      await node.stop();
      await node.dispose();
      child.kill("SIGKILL");
      await provider.stop();
    },
  };
}

/** An agent that asks its model once. */
export function benchAgent(endpoint: string): string {
  return `apiVersion: astromesh/v1
kind: Agent
metadata: { name: bench }
spec:
  model: { primary: { provider: ollama, model: "fake:latest", endpoint: "${endpoint}" } }
  prompts: { system: "You are a benchmark." }
`;
}

/** The request that goes through the bare proxy: what the node itself sends to the model's server. */
export function chatBody(stream: boolean): string {
  return JSON.stringify({
    model: "fake:latest",
    stream,
    messages: [
      { role: "system", content: "You are a benchmark." },
      { role: "user", content: "Say ok." },
    ],
  });
}
