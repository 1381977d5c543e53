import { AstromeshError } from "../../core/index.ts";
import type { Clock } from "../../core/index.ts";
import type { CacheStore } from "../../core/ports/index.ts";
import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";

const MAX_VALUE_CHARS = 65_536;
const MAX_TTL_SECONDS = 365 * 86_400;

/** Keeps small values between runs, apart for each agent and principal. */
export function cacheStore(store: CacheStore, clock: Clock): ToolKind {
  return {
    name: "cache_store",
    description: "Keeps small JSON values under keys between runs: get, set (with an optional time to live) or delete.",
    parameters: {
      ...objectSchema(
        {
          action: { enum: ["get", "set", "delete"] },
          key: { type: "string", minLength: 1, maxLength: 256 },
          value: { description: "Any JSON value; only for set" },
          ttl: {
            type: "number",
            exclusiveMinimum: 0,
            maximum: MAX_TTL_SECONDS,
            description: "Seconds until the value is forgotten. Default: the agent's setting, else never",
          },
        },
        ["action", "key"],
      ),
      if: { properties: { action: { const: "set" } } },
      // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
      then: { required: ["value"] },
    },
    config: objectSchema({
      ttl: { type: "number", exclusiveMinimum: 0, maximum: MAX_TTL_SECONDS, description: "Seconds. Default: no end" },
    }),
    timeoutMs: 10_000,
    effectOf: (_config, args) => (args?.["action"] === "get" ? "read" : "idempotent"),
    execute: async (args, config, { agent, principalId }) => {
      const scope = JSON.stringify([agent, principalId]);
      const key = args["key"] as string;
      const now = clock.now();
      if (args["action"] === "get") {
        const value = await store.get(scope, key, now);
        return { found: value !== undefined, value: value ?? null };
      }
      if (args["action"] === "delete") return { deleted: await store.remove(scope, key) };
      const value = args["value"] ?? null;
      if (JSON.stringify(value).length > MAX_VALUE_CHARS) {
        throw new AstromeshError("tool_failed", `the value is over ${MAX_VALUE_CHARS} characters as JSON`);
      }
      const ttl = (args["ttl"] ?? config["ttl"] ?? null) as number | null;
      await store.set(scope, key, value, ttl === null ? null : now + ttl * 1_000);
      return { stored: true };
    },
  };
}
