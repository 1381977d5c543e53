/**
 * Who has been here the longest. Ages reach a node as spans and stand on its own monotonic clock; they differ from node to
 * node by what messages took, so ages within a second count as one and the id decides.
 */
import type { Context } from "./context.ts";
import type { Member } from "./view.ts";

/** Nodes born within so long are of one age: their order is by id, the same for all who look. */
const SAME_AGE_MS = 1_000;

/** True for a member that may lead. */
function isEligible({ status, claim, contact }: Member): boolean {
  return status === "alive" && !claim.meta.draining && contact?.degraded !== true;
}

/** How many that may lead are older than this node. */
export function seniors({ self, view }: Context): number {
  const bornAtMs = self.bornAtMs();
  let count = 0;
  for (const member of view.live) {
    if (!isEligible(member)) continue;
    const isOfOneAge = Math.abs(member.bornAtMs - bornAtMs) <= SAME_AGE_MS;
    if (isOfOneAge ? member.id < self.id : member.bornAtMs < bornAtMs) count += 1;
  }
  return count;
}

/** The longest-lived node that may lead; null when none may. `isFit`: this node may. */
export function oldest({ self, view }: Context, isFit: boolean): string | null {
  const candidates = view.live.filter(isEligible).map(({ id, bornAtMs }) => ({ id, bornAtMs }));
  if (isFit) candidates.push({ id: self.id, bornAtMs: self.bornAtMs() });
  const first = Math.min(...candidates.map(({ bornAtMs }) => bornAtMs));
  let least: string | null = null;
  for (const { id, bornAtMs } of candidates) {
    if (bornAtMs <= first + SAME_AGE_MS && (least === null || id < least)) least = id;
  }
  return least;
}
