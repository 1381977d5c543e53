import { createHash } from "node:crypto";

import { canonicalJson } from "../core/index.ts";
import type { Json } from "../core/index.ts";

/** SHA-256 of the canonical JSON of a value, in base64url: equal requests have equal digests. */
export function digestOf(value: Json): string {
  return createHash("sha256").update(canonicalJson(value)).digest("base64url");
}

/** A number in [0, 1) that is a function of its seed alone: the first 48 bits of the seed's SHA-256. */
export function seededNumber(seed: string): number {
  return createHash("sha256").update(seed).digest().readUIntBE(0, 6) / 2 ** 48;
}
