import { expect, test } from "vitest";

import { waitFor } from "../../harness/index.ts";
import { agentOn, ask, begin, run, runReaches } from "./answers.ts";
import { shareNode, startReady } from "./shared-node.ts";

interface Listed {
  readonly agents: readonly { readonly name: string; readonly status: string; readonly errors: readonly string[] }[];
}

const BROKEN = "apiVersion: astromesh/v1\nkind: Agent\nmetadata: { name: broken }\nspec:\n  promts: {}\n";

const shared = shareNode((provider) => ({
  files: {
    ...agentOn(provider, "a", { prompts: { system: "the first prompt" } }),
    "agents/broken.agent.yaml": BROKEN,
    "agents/torn.agent.yaml": "apiVersion: astromesh/v1\nkind: Agent\nmetadata: { name: [torn\n",
  },
}));

const reload = async (): Promise<void> => {
  const { node } = shared;
  const before = node.logged("Configuration reloaded").length;
  node.child.kill("SIGHUP");
  await waitFor("the reload", () => node.logged("Configuration reloaded").length > before);
};

test("agent files that are wrong at the start are listed with file:line:col; the others run", async () => {
  const { node } = shared;
  const { agents } = (await ask(node, "/v1/agents")).body as unknown as Listed;
  const errorsOf = (name: string): string => agents.find((agent) => agent.name === name)?.errors.join("\n") ?? "";
  expect(errorsOf("broken")).toMatch(/agents\/broken\.agent\.yaml:5:3 .*promts.*did you mean "prompts"/);
  expect(errorsOf("torn")).toMatch(/agents\/torn\.agent\.yaml:\d+:\d+ /);
  expect(node.child.output()).toMatch(/agents\/broken\.agent\.yaml:5:3/);
  const refused = await run(node, "broken");
  expect(refused).toMatchObject({ status: 404, body: { code: "agent_not_found" } });
  expect((await run(node, "a")).status).toBe(200);
});

test("a run keeps the definition that it began with, over a reload and a restart; new runs have the new one", async () => {
  const { node, provider } = shared;
  await provider.hold("request");
  const old = await begin(node, "a");
  await provider.reached("request");
  for (const [path, text] of Object.entries(agentOn(provider, "a", { prompts: { system: "the second prompt" } }))) {
    node.write(path, text);
  }
  await reload();
  const fresh = await begin(node, "a");
  await provider.reached("request", 2);
  const prompts = async (): Promise<unknown[]> =>
    (await provider.requests()).map(({ body }) => (body["messages"] as readonly { content: string }[])[0]?.content);
  expect(await prompts()).toEqual(["the first prompt", "the second prompt"]);

  await node.kill();
  await provider.release("request");
  await startReady(node);
  for (const runId of [old, fresh]) await runReaches(node, runId, "completed");
  expect(new Set((await prompts()).slice(2))).toEqual(new Set(["the first prompt", "the second prompt"]));
});

test("a file that is mended loads at the next reload; one that is torn meanwhile changes nothing", async () => {
  const { node, provider } = shared;
  for (const [path, text] of Object.entries(agentOn(provider, "broken"))) node.write(path, text);
  node.write("agents/a.agent.yaml", "\t: [");
  await reload();
  expect((await run(node, "broken")).status).toBe(200);
  expect((await run(node, "a")).status).toBe(200);
  const { agents } = (await ask(node, "/v1/agents")).body as unknown as Listed;
  expect(agents.find(({ name }) => name === "a")).toMatchObject({ status: "ready" });
  expect(JSON.stringify(agents)).toMatch(/agents\/a\.agent\.yaml:1:\d+/);
});
