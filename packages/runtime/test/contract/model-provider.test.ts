import { afterAll } from "vitest";

import type { Json } from "../../src/core/index.ts";
import { startFakeProvider } from "../fakes/fake-provider/index.ts";
import type { FakeProvider } from "../fakes/fake-provider/index.ts";
import { candidate, createTestModels, never, providerSettings } from "../fakes/models.ts";
import { modelProviderContract } from "./model-provider.contract.ts";
import type { ProviderUnderTest } from "./model-provider.contract.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
});

async function overHttp(type: string, url: (fake: FakeProvider) => string, script: Json): Promise<ProviderUnderTest> {
  const fake = await startFakeProvider();
  await fake.script(script);
  const models = createTestModels({ providers: [providerSettings({ name: "fake", type, endpoint: url(fake) })] });
  stops.push(fake.stop, models.stop);
  const { provider } = await models.registry.resolve(candidate("fake"), never);
  return {
    provider,
    asked: fake.count,
    left: () => fake.left(1),
    down: fake.down,
  };
}

modelProviderContract("ollama", (script) => overHttp("ollama", (fake) => fake.ollamaUrl, script));
modelProviderContract("openai_compat", (script) => overHttp("openai_compat", (fake) => fake.openAiUrl, script));

modelProviderContract("scripted", async (script) => {
  const models = createTestModels({ providers: [providerSettings({ name: "fake", type: "scripted", script })] });
  const { provider } = await models.registry.resolve(candidate("fake"), never);
  let asked = 0;
  const counting = {
    ...provider,
    async *stream(...args: Parameters<typeof provider.stream>) {
      if (!args[1].aborted) asked += 1;
      yield* provider.stream(...args);
    },
  };
  return { provider: counting, asked: async () => asked, left: null, down: null };
});
