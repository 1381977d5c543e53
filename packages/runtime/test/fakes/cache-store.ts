import type { Json } from "../../src/core/index.ts";
import type { CacheStore } from "../../src/core/ports/index.ts";

/** A cache in memory. */
export function memoryCache(): CacheStore {
  const entries = new Map<string, { readonly value: Json; readonly expiresAt: number | null }>();
  const id = (scope: string, key: string): string => JSON.stringify([scope, key]);
  return {
    get: async (scope, key, now) => {
      const entry = entries.get(id(scope, key));
      return entry === undefined || (entry.expiresAt !== null && entry.expiresAt <= now) ? undefined : entry.value;
    },
    set: async (scope, key, value, expiresAt) => {
      entries.set(id(scope, key), { value, expiresAt });
    },
    remove: async (scope, key) => entries.delete(id(scope, key)),
  };
}
