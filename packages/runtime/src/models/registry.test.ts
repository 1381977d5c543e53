import { afterEach, describe, expect, test } from "vitest";

import { manualClock } from "../../test/fakes/clock.ts";
import { startFakeProvider } from "../../test/fakes/fake-provider/index.ts";
import type { FakeProvider, FakeProviderOptions } from "../../test/fakes/fake-provider/index.ts";
import { candidate, createTestModels, hear, modelCall, never, providerSettings } from "../../test/fakes/models.ts";
import type { TestModels, TestModelsOptions } from "../../test/fakes/models.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

function models(options: TestModelsOptions = {}): TestModels {
  const made = createTestModels(options);
  stops.push(made.stop);
  return made;
}

async function fakeServer(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const fake = await startFakeProvider(options);
  stops.push(fake.stop);
  return fake;
}

/** An address on which nobody listens. */
async function nowhere(): Promise<string> {
  const fake = await startFakeProvider();
  await fake.stop();
  return fake.ollamaUrl;
}

describe("which provider a candidate means", () => {
  test("an entry by its name, else the first entry of that type, else the type itself", async () => {
    const providers = [
      providerSettings({ name: "gpu", type: "vllm", endpoint: "http://gpu:8001/v1/" }),
      providerSettings({ name: "gpu2", type: "vllm", endpoint: "http://gpu2:8001/v1" }),
    ];
    const { registry } = models({ providers });
    const endpointOf = async (provider: string) => (await registry.resolve(candidate(provider), never)).endpoint;
    expect(await endpointOf("gpu2")).toBe("http://gpu2:8001/v1");
    expect(await endpointOf("vllm")).toBe("http://gpu:8001/v1");
    expect(await endpointOf("lmstudio")).toBe("http://localhost:1234/v1");
    expect(await endpointOf("ollama")).toBe("http://localhost:11434");
    expect(await endpointOf("offline")).toBeNull();
  });

  test("an endpoint in the agent's file wins; parameters are merged, the agent's win", async () => {
    const parameters = { temperature: 0.2, top_k: 5 };
    const { registry } = models({ providers: [providerSettings({ name: "a", type: "ollama", parameters })] });
    const own = candidate("a", { endpoint: "http://elsewhere:1", parameters: { temperature: 0.9 } });
    expect(await registry.resolve(own, never)).toMatchObject({
      endpoint: "http://elsewhere:1",
      parameters: { temperature: 0.9, top_k: 5 },
    });
  });

  test.each([
    ["anthropic", {}, "Providers of type anthropic are not part of this release"],
    ["scripted", {}, "needs a script"],
    ["openai_compat", {}, "needs an endpoint"],
    ["ollama", { endpoint: "ftp://host" }, "is no http or https URL: ftp://host"],
    ["vllm", { endpoint: "not a url" }, "is no http or https URL: not a url"],
  ])("%s %j cannot be built, and says why", async (provider, own, words) => {
    const { registry } = models();
    await expect(registry.resolve(candidate(provider, own), never)).rejects.toMatchObject({
      code: "model_rejected",
      message: expect.stringContaining(words),
    });
  });

  test("the faults of a script are told by their place", async () => {
    const script = [{ reply: "x", fault: { statsu: 1 } }];
    const { registry } = models({ providers: [providerSettings({ name: "s", type: "scripted", script })] });
    await expect(registry.resolve(candidate("s"), never)).rejects.toThrow("0.fault.statsu: unknown key");
  });
});

describe("keys", () => {
  const env = { THE_KEY: "secret-1", OPENAI_API_KEY: "secret-2", OWN: "secret-3" };
  const settings = (endpoint: string) =>
    providerSettings({ name: "a", type: "openai_compat", endpoint, apiKey: { from: "env", name: "THE_KEY" } });

  async function authorization(own: Parameters<typeof candidate>[1], atHome: boolean): Promise<string | undefined> {
    const home = await fakeServer();
    const other = await fakeServer();
    const { gateway } = models({ providers: [settings(home.openAiUrl)], env });
    const server = atHome ? home : other;
    const asked = candidate("a", { endpoint: server.openAiUrl, ...own });
    expect((await hear(gateway.call(modelCall([asked]), never))).error).toBeNull();
    return (await server.requests())[0]?.headers["authorization"];
  }

  test("the provider's key goes to its own server, and to no other", async () => {
    expect(await authorization({}, true)).toBe("Bearer secret-1");
    expect(await authorization({}, false)).toBeUndefined();
  });

  test("a key of the agent's own goes where the agent says", async () => {
    expect(await authorization({ apiKey: { from: "env", name: "OWN" } }, false)).toBe("Bearer secret-3");
  });

  test("the node's OpenAI key goes to OpenAI only", async () => {
    const fake = await fakeServer();
    const { gateway } = models({ env });
    await hear(gateway.call(modelCall([candidate("openai", { endpoint: fake.openAiUrl })]), never));
    expect((await fake.requests())[0]?.headers["authorization"]).toBeUndefined();
  });

  test("OpenAI without a key says what to set, and asks nobody", async () => {
    const { gateway } = models();
    const { error } = await hear(gateway.call(modelCall([candidate("openai")]), never));
    expect(error).toMatchObject({ code: "model_auth", message: expect.stringContaining("set OPENAI_API_KEY") });
  });

  test("a key is never repeated, even if the server repeats it", async () => {
    const fake = await fakeServer();
    await fake.script([{ fault: { status: 401, message: "Incorrect API key provided: secret-1" } }]);
    const { gateway } = models({ providers: [settings(fake.openAiUrl)], env });
    const { error } = await hear(gateway.call(modelCall([candidate("a")]), never));
    expect(error).toMatchObject({ code: "model_auth" });
    expect(JSON.stringify([error, String(error)])).not.toContain("secret-1");
    expect(String(error)).toContain("Incorrect API key provided: [hidden] (check the key)");
  });
});

describe("default", () => {
  const ask = candidate("default", { model: "default" });
  const ollama = (endpoint: string) => [providerSettings({ name: "ollama", type: "ollama", endpoint })];

  test("is Ollama when it answers, with its first model", async () => {
    const fake = await fakeServer({ models: ["first:latest", "second:latest"] });
    const { registry } = models({ providers: ollama(fake.ollamaUrl), env: { OPENAI_API_KEY: "k" } });
    const resolved = await registry.resolve(ask, never);
    expect(resolved).toMatchObject({ model: "first:latest", endpoint: fake.ollamaUrl });
    expect(resolved.why).toBe("default is ollama/first:latest");
  });

  test("is OpenAI when there is a key and no Ollama", async () => {
    const { registry } = models({ providers: ollama(await nowhere()), env: { OPENAI_API_KEY: "k" } });
    const resolved = await registry.resolve(ask, never);
    expect(resolved).toMatchObject({ model: "gpt-4o-mini", endpoint: "https://api.openai.com/v1" });
    expect(resolved.why).toBe("default is openai/gpt-4o-mini (cannot be used now: ollama)");
  });

  test("is the offline model when there is nothing, and the call says so", async () => {
    const { gateway } = models({ providers: ollama(await nowhere()) });
    const { events } = await hear(gateway.call(modelCall([ask]), never));
    expect(events[0]).toEqual({
      type: "candidate",
      provider: "offline",
      model: "rules",
      why: "default is offline/rules (cannot be used now: ollama, openai); the only candidate",
    });
    expect(events.at(-1)).toMatchObject({ type: "finish", usage: { costUsd: 0 } });
  });

  test("is what the configuration says, if that can be used", async () => {
    const fake = await fakeServer({ models: ["m:latest"] });
    const providers = ollama(fake.ollamaUrl);
    const chosen = async (model: string) => {
      const defaultCandidates = [
        { provider: "ollama", model },
        { provider: "offline", model: null },
      ];
      return (await models({ providers, defaultCandidates }).registry.resolve(ask, never)).model;
    };
    expect(await chosen("m")).toBe("m");
    expect(await chosen("not-pulled")).toBe("rules");
  });

  test("notices within seconds that Ollama has been started", async () => {
    const clock = manualClock();
    const fake = await fakeServer();
    await fake.down();
    const { registry } = models({ providers: ollama(fake.ollamaUrl), clock });
    const chosen = async () => (await registry.resolve(ask, never)).model;
    expect(await chosen()).toBe("rules");
    await fake.up();
    clock.advance(4_999);
    expect(await chosen()).toBe("rules");
    clock.advance(1);
    expect(await chosen()).toBe("fake:latest");
  });
});

describe("check", () => {
  test("lists what is configured and what is built in", async () => {
    const fake = await fakeServer();
    const { registry } = models({
      providers: [
        providerSettings({ name: "gpu", type: "vllm", endpoint: fake.openAiUrl }),
        providerSettings({ name: "later", type: "anthropic" }),
        providerSettings({ name: "ollama", type: "ollama", endpoint: await nowhere() }),
      ],
    });
    const statuses = await registry.check(never);
    expect(statuses.map(({ name, ok }) => [name, ok])).toEqual([
      ["gpu", true],
      ["later", false],
      ["ollama", false],
      ["openai", false],
      ["offline", true],
    ]);
    expect(statuses[2]?.message).toContain("refused the connection; is it running?");
    expect(statuses[3]?.message).toContain("set OPENAI_API_KEY");
  });
});
