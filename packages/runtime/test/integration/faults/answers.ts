import type { FakeProvider } from "../../fakes/fake-provider/index.ts";
import { waitFor } from "../../harness/index.ts";
import type { TestNode, TestRequest } from "../../harness/index.ts";

/** An answer of a node, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** What the answers and errors of the routes for runs hold, as far as tests look at it. */
export interface Body {
  readonly run_id: string;
  readonly status: string;
  readonly stop_reason: string;
  readonly response: string;
  readonly session_id: string;
  readonly provider: string;
  readonly model: string;
  readonly code: string;
  readonly detail: string;
  readonly error: { readonly code: string; readonly message: string };
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly tool_calls: readonly { readonly name: string; readonly ok: boolean; readonly preview: string }[];
}

/** Sends a request and reads all of the answer. */
export async function ask(node: TestNode, path: string, request: TestRequest = {}): Promise<Answer> {
  const response = await node.fetch(path, request);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === "" ? {} : JSON.parse(text)) as Body };
}

/** Runs an agent and waits for its answer. */
export function run(node: TestNode, agent: string, more: object = {}, request: TestRequest = {}): Promise<Answer> {
  return ask(node, `/v1/agents/${agent}/run`, { json: { query: "hello", ...more }, ...request });
}

/** Begins a run without waiting for it. */
export async function begin(node: TestNode, agent: string, more: object = {}): Promise<string> {
  const { body, status } = await ask(node, "/v1/runs", { json: { agent, query: "hello", ...more } });
  if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body.run_id;
}

/** Waits until a run has this status, and returns it. */
export function runReaches(node: TestNode, runId: string, status: string, timeoutMs?: number): Promise<Body> {
  const read = async (): Promise<Body | false> => {
    const { body } = await ask(node, `/v1/runs/${runId}`);
    return body.status === status && body;
  };
  return waitFor(`run ${runId} is ${status}`, read, timeoutMs);
}

/** The file of an agent whose model is of its own name, so that no agent shares a breaker with another. */
export function agentOn(
  provider: FakeProvider,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  model: Readonly<Record<string, unknown>> = {},
): Record<string, string> {
  const primary = { provider: "ollama", model: `${name}:latest`, endpoint: provider.ollamaUrl, ...model };
  return {
    [`agents/${name}.agent.yaml`]: JSON.stringify({
      apiVersion: "astromesh/v1",
      kind: "Agent",
      metadata: { name },
      spec: { model: { primary }, prompts: { system: "Be brief." }, ...spec },
    }),
  };
}
