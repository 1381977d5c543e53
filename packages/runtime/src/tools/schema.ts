import { Ajv } from "ajv";
import type { ErrorObject } from "ajv";
import addFormats from "ajv-formats";
import { Ajv2020 } from "ajv/dist/2020.js";

import type { Json, JsonObject } from "../core/index.ts";

/** Null when the value fits, else what is wrong, in words that a model or a person can act on. */
export type SchemaCheck = (value: Json) => string | null;

/** A schema ready to check with, or why it is none. */
export type CompiledSchema =
  | { readonly ok: true; readonly check: SchemaCheck }
  | { readonly ok: false; readonly message: string };

/** More faults than these are not listed: one round of mending rarely needs them. */
const MAX_FAULTS = 5;

const options = { allErrors: true, strict: false, addUsedSchema: false, logger: false } as const;
let current: Ajv | null = null;
let draft7: Ajv | null = null;

/** Compiles a JSON Schema: 2020-12, or draft 7 when its `$schema` says so. */
export function compileSchema(schema: JsonObject): CompiledSchema {
  const dialect = schema["$schema"];
  const ajv =
    typeof dialect === "string" && /draft-0[67]/.test(dialect)
      ? (draft7 ??= addFormats.default(new Ajv(options)))
      : (current ??= addFormats.default(new Ajv2020(options)));
  try {
    const validate = ajv.compile(schema);
    return { ok: true, check: (value) => (validate(value) ? null : describe(validate.errors ?? [])) };
  } catch (thrown) {
    return { ok: false, message: thrown instanceof Error ? thrown.message : String(thrown) };
  } finally {
    // Schemas come and go with agents; the validator lives on without ajv's cache.
    ajv.removeSchema(schema);
  }
}

/** The check of a schema of our own, which is always valid. */
export function schemaCheck(schema: JsonObject): SchemaCheck {
  const compiled = compileSchema(schema);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.check;
}

function describe(errors: readonly ErrorObject[]): string {
  // `if` only says that its `then` or `else` has a fault, which is listed itself.
  const faults = [...new Set(errors.filter((error) => error.keyword !== "if").map(faultOf))];
  const more = faults.length - MAX_FAULTS;
  return faults.slice(0, MAX_FAULTS).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function faultOf(error: ErrorObject): string {
  const path = error.instancePath.slice(1).replaceAll("/", ".");
  const at = (name: string): string => `"${path === "" ? name : `${path}.${name}`}"`;
  const params: Record<string, unknown> = error.params;
  switch (error.keyword) {
    case "required":
      return `${at(String(params["missingProperty"]))} is missing`;
    case "additionalProperties":
      return `${at(String(params["additionalProperty"]))} is not known`;
    case "enum":
      return `${place(path)} must be one of ${JSON.stringify(params["allowedValues"]).slice(1, -1)}`;
    case "const":
      return `${place(path)} must be ${JSON.stringify(params["allowedValue"])}`;
    default:
      return `${place(path)} ${error.message ?? "is not valid"}`;
  }
}

function place(path: string): string {
  return path === "" ? "the whole" : `"${path}"`;
}
