import { describe, expect, it } from "vitest";

import { agentDefinition } from "../../test/fakes/index.ts";
import type { RejectedAgent } from "../core/index.ts";
import type { LoadedAgent } from "../core/ports/index.ts";
import { createAgentRegistry } from "./index.ts";

function agent(name: string, source: LoadedAgent["source"], file: string | null = null, digest = "d1"): LoadedAgent {
  return { digest, definition: agentDefinition({ name }), source, file, notices: [] };
}

function rejected(name: string, file: string): RejectedAgent {
  return { name, file, errors: [`${file}:3:1 unknown key`] };
}

describe("the catalog of agents", () => {
  it("lets a file win over the API, and both over what is built in", () => {
    const registry = createAgentRegistry();
    const builtin = [agent("default", "builtin"), agent("helper", "builtin")];
    expect(registry.current().generation).toBe(0);
    registry.loadApi([agent("helper", "api"), agent("sales", "api")]);
    registry.loadFiles({ agents: [...builtin, agent("sales", "file", "sales.yaml")], rejected: [] });
    const sources = [...registry.current().agents].map(([name, agent]) => [name, agent.source]);
    expect(sources).toEqual([
      ["default", "builtin"],
      ["helper", "api"],
      ["sales", "file"],
    ]);
    registry.loadFiles({ agents: builtin, rejected: [] });
    expect(registry.current().agents.get("sales")?.source).toBe("api");
  });

  it("swaps whole catalogs and leaves those that were read alone", () => {
    const registry = createAgentRegistry();
    const before = registry.loadFiles({ agents: [agent("a", "file", "a.yaml")], rejected: [] });
    registry.loadFiles({ agents: [agent("b", "file", "b.yaml")], rejected: [] });
    expect([...before.agents.keys()]).toEqual(["a"]);
    expect([...registry.current().agents.keys()]).toEqual(["b"]);
    expect(registry.current().generation).toBe(2);
  });

  it("keeps the last good version of a file that broke, until the file is mended or gone", () => {
    const registry = createAgentRegistry();
    registry.loadFiles({ agents: [agent("a", "file", "a.yaml", "good")], rejected: [] });
    for (let reload = 0; reload < 2; reload += 1) {
      const broken = registry.loadFiles({ agents: [], rejected: [rejected("a", "a.yaml")] });
      expect(broken.agents.get("a")?.digest).toBe("good");
      expect(broken.rejected.map((entry) => entry.file)).toEqual(["a.yaml"]);
    }
    const mended = registry.loadFiles({ agents: [agent("a", "file", "a.yaml", "better")], rejected: [] });
    expect(mended.agents.get("a")?.digest).toBe("better");
    expect(mended.rejected).toEqual([]);
    expect(registry.loadFiles({ agents: [], rejected: [] }).agents.size).toBe(0);
  });

  it("lets another file take the name of one that broke", () => {
    const registry = createAgentRegistry();
    registry.loadFiles({ agents: [agent("a", "file", "a.yaml", "old")], rejected: [] });
    const next = registry.loadFiles({
      agents: [agent("a", "file", "b.yaml", "new")],
      rejected: [rejected("a", "a.yaml")],
    });
    expect(next.agents.get("a")?.digest).toBe("new");
  });
});
