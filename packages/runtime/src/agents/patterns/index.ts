import type { Pattern, PatternName } from "../../core/index.ts";
import { react } from "./react.ts";

/** The loop of a pattern; null for one that this release parses and cannot run yet. */
export function patternFor(name: PatternName): Pattern | null {
  return name === "react" ? react : null;
}
