import type { EffectClass, Json, JsonObject } from "../core/index.ts";
import type { ToolScope } from "../core/ports/index.ts";

/** A tool before an agent's entry has settled its config, limits and overrides. */
export interface ToolKind {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments; `type: object`. */
  readonly parameters: JsonObject;
  /** JSON Schema of the entry's `config`. */
  readonly config: JsonObject;
  /** How long a call may take unless the entry says otherwise. Milliseconds. */
  readonly timeoutMs: number;
  /** What is wrong with a config that fits its schema; absent: nothing can be. */
  configFault?(config: JsonObject): string | null;
  /** The class of a call; without arguments, the strongest that any call can have. */
  effectOf(config: JsonObject, args?: JsonObject): EffectClass;
  /** Gets arguments and a config that fit their schemas, `${VAR}` expanded. Throws AstromeshError on failure. */
  execute(args: JsonObject, config: JsonObject, scope: ToolScope): Promise<Json>;
}

/** The JSON Schema of an object with these members and no others. */
export function objectSchema(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return { type: "object", properties, required, additionalProperties: false };
}
