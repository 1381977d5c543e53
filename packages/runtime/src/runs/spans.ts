import { hash } from "node:crypto";

/** Where a call of a loop stands in its run. */
export interface CallPlace {
  readonly runId: string;
  readonly segment: number;
  readonly position: string;
}

/**
 * Span ids are functions of the place, so that a resumed run goes on with the spans that it began with and the
 * timeline needs no column for them. 16 hex digits of a SHA-256; all-zero, which W3C forbids, does not occur.
 */
function spanIdOf(text: string): string {
  return hash("sha256", text).slice(0, 16);
}

/** The span of a whole run. */
export function runSpanId(runId: string): string {
  return spanIdOf(runId);
}

/** The span of one effect. */
export function callSpanId(place: CallPlace): string {
  return spanIdOf(placeKey(place));
}

/** The name of a call's place; also its idempotency key, the same for every repetition. */
export function placeKey(place: CallPlace): string {
  return `${place.runId}:${place.segment}:${place.position}`;
}
