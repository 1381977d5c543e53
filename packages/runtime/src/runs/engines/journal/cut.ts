import type { NewRecord } from "../../../core/ports/index.ts";
import type { AttemptKit } from "./kit.ts";
import { recordOf } from "./kit.ts";

const CUT = { code: "cancelled", message: "The call was cut off.", retryable: false };

/**
 * The records of effects that are cut off now: what a `once` effect came to is open, the others came to nothing.
 * Each is recorded once, whoever cuts.
 */
export function cutRecords(kit: AttemptKit, concerns: (position: string) => boolean): NewRecord[] {
  return [...kit.inFlight.values()]
    .filter(({ position }) => concerns(position))
    .map(({ position, tryPosition, kind, effectClass }) => {
      kit.inFlight.delete(position);
      return effectClass === "once"
        ? recordOf(kit, { position: tryPosition, phase: "ambiguous", kind, effectClass, payload: { cut: true } })
        : recordOf(kit, { position, phase: "failed", kind, effectClass, payload: CUT });
    });
}
