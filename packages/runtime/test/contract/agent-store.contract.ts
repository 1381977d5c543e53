import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { AgentStore, Store } from "../../src/core/ports/index.ts";
import { openStore } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** The contract of AgentStore, held by every implementation. */
export function agentStoreContract(under: StoreUnderTest): void {
  describe(`agent store: ${under.name}`, () => {
    let store: Store;
    let agents: AgentStore;

    beforeAll(async () => {
      store = await openStore(under);
      agents = store.agents;
    });
    afterAll(() => store.stop());

    it("keeps documents by name, the last one of each, and lists them in order", async () => {
      expect(await agents.list()).toEqual([]);
      await agents.put({ name: "b", document: { spec: { x: "\u0000" } }, updatedAt: 1 });
      await agents.put({ name: "B", document: {}, updatedAt: 1 });
      await agents.put({ name: "a", document: {}, updatedAt: 2 });
      await agents.put({ name: "b", document: { spec: { x: "new" } }, updatedAt: 3 });
      expect(await agents.list()).toEqual([
        { name: "B", document: {}, updatedAt: 1 },
        { name: "a", document: {}, updatedAt: 2 },
        { name: "b", document: { spec: { x: "new" } }, updatedAt: 3 },
      ]);
      expect(await agents.remove("B")).toBe(true);
      expect(await agents.remove("B")).toBe(false);
      expect((await agents.list()).map(({ name }) => name)).toEqual(["a", "b"]);
    });
  });
}
