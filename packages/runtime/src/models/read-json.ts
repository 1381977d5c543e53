import { isJsonArray, isJsonObject } from "../core/index.ts";
import type { Json, JsonObject } from "../core/index.ts";

// Readers for answers of servers that we do not control: what is missing or of another type is empty, never a crash.

/** The text of JSON as a value; undefined when it is no JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** A string member; empty when it is none. */
export function textOf(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}

/** A number member; null when it is none. */
export function numberOf(object: JsonObject, key: string): number | null {
  const value = object[key];
  return typeof value === "number" ? value : null;
}

/** An object member; an empty object when it is none. */
export function objectOf(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

/** The objects in an array member; none when it is no array. */
export function objectsOf(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key];
  return value !== undefined && isJsonArray(value) ? value.filter((item) => isJsonObject(item)) : [];
}
