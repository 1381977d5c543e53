import { expect, test } from "vitest";

import { createTestServers, systemClock } from "../../../test/fakes/index.ts";
import { createHttpClient } from "../../net/index.ts";
import { createOllamaProvider } from "./ollama.ts";

const ABILITIES: Readonly<Record<string, readonly string[]>> = {
  "embedder:latest": ["embedding"],
  "talker:latest": ["completion"],
  "worker:latest": ["completion", "tools"],
};

/** What the provider takes as its default from a server with these models. */
async function picked(models: readonly string[]): Promise<string | null> {
  const servers = createTestServers();
  const server = await servers.serve((request, response) => {
    const { model = "" } = JSON.parse(server.seen.at(-1)?.body || "{}") as { readonly model?: string };
    const tags = { models: models.map((name) => ({ name })) };
    const answer = request.url === "/api/tags" ? tags : { capabilities: ABILITIES[model] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  const http = createHttpClient();
  try {
    const provider = createOllamaProvider(
      { http, clock: systemClock, newCallId: () => "call" },
      { name: "ollama", endpoint: server.url, apiKey: () => null },
    );
    return await provider.pickModel([], new AbortController().signal);
  } finally {
    await http.stop();
    await servers.stop();
  }
}

test("the default is a model that can call tools, else one that talks, never one that only embeds", async () => {
  expect(await picked(["embedder:latest", "talker:latest", "worker:latest"])).toBe("worker:latest");
  expect(await picked(["embedder:latest", "talker:latest"])).toBe("talker:latest");
  expect(await picked(["embedder:latest"])).toBeNull();
});
