import type { Json } from "../json.ts";

/** A small key-value store for the `cache_store` tool, apart for each agent and principal. */
export interface CacheStore {
  /** Undefined when there is none, or it has expired. */
  get(scope: string, key: string, now: number): Promise<Json | undefined>;
  set(scope: string, key: string, value: Json, expiresAt: number | null): Promise<void>;
  /** False when there was none. */
  remove(scope: string, key: string): Promise<boolean>;
}
