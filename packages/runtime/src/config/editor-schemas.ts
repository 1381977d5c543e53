import { z } from "zod";

import type { JsonObject } from "../core/index.ts";
import { agentFile } from "./agent-schema.ts";
import { nodeFile } from "./node-schema.ts";
import { providerFile } from "./provider-schema.ts";
import { runtimeFile } from "./runtime-schema.ts";

const SCHEMAS = {
  "agent.schema.json": { schema: agentFile, title: "Astromesh agent (*.agent.yaml)" },
  "runtime.schema.json": { schema: z.union([runtimeFile, nodeFile]), title: "Astromesh node (runtime.yaml)" },
  "providers.schema.json": { schema: providerFile, title: "Astromesh model providers (providers.yaml)" },
} as const;

/** The JSON Schemas for editors, by file name: what config/schemas/ holds, made from the schemas that validate. */
export function editorSchemas(): Readonly<Record<string, JsonObject>> {
  const files = Object.entries(SCHEMAS).map(([file, { schema, title }]) => [file, toEditorSchema(schema, title)]);
  return Object.fromEntries(files) as Record<string, JsonObject>;
}

function toEditorSchema(schema: z.ZodType, title: string): JsonObject {
  const json = z.toJSONSchema(schema, { io: "input", reused: "ref", override: allowVariable });
  return { ...(json as unknown as JsonObject), title };
}

/** Where a number or a boolean is wanted, `${NAME}` is as good. */
function allowVariable({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { type } = jsonSchema;
  if (type !== "number" && type !== "integer" && type !== "boolean") return;
  const plain = { ...jsonSchema };
  for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
  const { description, default: fallback, ...rest } = plain;
  if (description !== undefined) jsonSchema.description = description;
  if (fallback !== undefined) jsonSchema.default = fallback;
  jsonSchema.anyOf = [rest, { type: "string", pattern: "\\$\\{" }];
}
