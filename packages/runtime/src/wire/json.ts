import { z } from "zod";

import type { Json } from "../core/index.ts";

/** How deep free JSON may be nested: enough for any schema or argument, too little to exhaust a recursive writer. */
export const MAX_JSON_DEPTH = 64;

/** True when a value has at most `levels` levels of arrays and objects. */
function fits(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => fits(member, levels - 1));
}

/** Any JSON value. What is validated was parsed from JSON, so only its depth is left to check. */
export const jsonValue = z
  .unknown()
  .refine((value) => fits(value, MAX_JSON_DEPTH), `must not be nested deeper than ${MAX_JSON_DEPTH} levels`)
  .meta({ description: "Any JSON value" }) as unknown as z.ZodType<Json, Json>;

/** Any JSON object. */
export const jsonObject = z.record(z.string(), jsonValue);

/** A moment as people and programs read it: ISO 8601 in UTC, with milliseconds. */
export const timestamp = z.iso.datetime();

/** A core time (milliseconds since the epoch) on the wire. */
export function toTimestamp(at: number): string {
  return new Date(at).toISOString();
}

/** A wire time in core's milliseconds since the epoch. */
export function fromTimestamp(text: string): number {
  return Date.parse(text);
}

/** The members that are not null: on the wire an absent member says "none". */
export function present<T extends Record<string, unknown>>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
