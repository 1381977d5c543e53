import { hash } from "node:crypto";

import { canonicalJson } from "../core/index.ts";
import type { Json } from "../core/index.ts";

/** SHA-256 of the canonical JSON of a value, in base64url: equal requests have equal digests. */
export function digestOf(value: Json): string {
  return hash("sha256", canonicalJson(value), "base64url");
}

/** A number in [0, 1) that is a function of its seed alone: the first 48 bits of the seed's SHA-256. */
export function seededNumber(seed: string): number {
  return Number.parseInt(hash("sha256", seed).slice(0, 12), 16) / 2 ** 48;
}
