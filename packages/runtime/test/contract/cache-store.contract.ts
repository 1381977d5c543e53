import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { CacheStore, Store } from "../../src/core/ports/index.ts";
import { openStore } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** The contract of CacheStore, held by every implementation. */
export function cacheStoreContract(under: StoreUnderTest): void {
  describe(`cache store: ${under.name}`, () => {
    let store: Store;
    let cache: CacheStore;

    beforeAll(async () => {
      store = await openStore(under);
      cache = store.cache;
    });
    afterAll(() => store.stop());

    it("keeps values apart by scope and key, whatever characters they hold", async () => {
      const keys = [
        ["a", "b"],
        ["a b", ""],
        ["", "a b"],
        ["\u0000", "\ud800"],
        ["\u0000", "\udfff"],
      ] as const;
      for (const [index, [scope, key]] of keys.entries()) await cache.set(scope, key, { index }, null);
      const values = await Promise.all(keys.map(([scope, key]) => cache.get(scope, key, 0)));
      expect(values).toEqual(keys.map((_, index) => ({ index })));
    });

    it("tells null from nothing, and replaces", async () => {
      expect(await cache.get("s", "k", 0)).toBeUndefined();
      await cache.set("s", "k", null, null);
      expect(await cache.get("s", "k", 0)).toBeNull();
      await cache.set("s", "k", [1, "two"], null);
      expect(await cache.get("s", "k", 0)).toEqual([1, "two"]);
    });

    it("forgets at the time of expiry", async () => {
      await cache.set("s", "old", 1, 1_000);
      expect(await cache.get("s", "old", 999)).toBe(1);
      expect(await cache.get("s", "old", 1_000)).toBeUndefined();
      expect(await cache.remove("s", "old")).toBe(false);
    });

    it("removes once", async () => {
      await cache.set("s", "gone", 1, null);
      expect(await cache.remove("s", "gone")).toBe(true);
      expect(await cache.remove("s", "gone")).toBe(false);
      expect(await cache.get("s", "gone", 0)).toBeUndefined();
    });
  });
}
