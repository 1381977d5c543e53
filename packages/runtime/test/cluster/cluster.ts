import { startFakeProvider } from "../fakes/fake-provider/index.ts";
import type { FakeProvider } from "../fakes/fake-provider/index.ts";
import type { TestNode } from "../harness/index.ts";
import { inferenceAt, profileNode, workerAt } from "./profile-node.ts";

/** Signs what the nodes say to each other. */
export const SECRET = { ASTROMESH_MESH_SECRET: "a secret that all of them share" };

const AGENT = `apiVersion: astromesh/v1
kind: Agent
metadata: { name: parrot }
spec:
  identity: { description: repeats }
  model: { primary: { provider: ollama, model: "fake:latest" } }
  prompts: { system: Be brief. }
  memory: { conversational: { backend: sqlite, strategy: sliding_window } }
`;

/** Gateway, worker and inference as processes of their own, from the shipped profiles. */
export interface Cluster {
  readonly provider: FakeProvider;
  readonly inference: TestNode;
  readonly worker: TestNode;
  readonly gateway: TestNode;
  /** Workers beside the first. */
  readonly others: readonly TestNode[];
  readonly stop: () => Promise<void>;
}

/** Starts one. `workers` more than one adds workers of the same profile. */
export async function startCluster(workers = 1, env: Readonly<Record<string, string>> = SECRET): Promise<Cluster> {
  const provider = await startFakeProvider();
  const inference = profileNode("inference", { env: { ...env, OLLAMA_HOST: provider.ollamaUrl } });
  await inference.start();
  const all = Array.from({ length: workers }, (_, index) =>
    profileNode("worker", {
      env,
      ...(index === 0 ? {} : { name: `worker-${index + 1}` }),
      peers: [inferenceAt(inference)],
      files: { "agents/parrot.agent.yaml": AGENT },
    }),
  );
  await Promise.all(all.map((node) => node.start()));
  const [worker, ...others] = all as [TestNode, ...TestNode[]];
  const peers = all.map((node, index) => workerAt(node, `worker-${index + 1}`));
  const gateway = profileNode("gateway", { env, peers });
  await gateway.start();
  const stop = async (): Promise<void> => {
    await Promise.all([gateway, ...all, inference].map((node) => node.dispose()));
    await provider.stop();
  };
  return { provider, inference, worker, gateway, others, stop };
}

/** Asks the parrot through a node. */
export function ask(node: TestNode, query = "hello", more: Record<string, unknown> = {}): Promise<Response> {
  return node.fetch("/v1/agents/parrot/run", { json: { query, ...more } });
}
