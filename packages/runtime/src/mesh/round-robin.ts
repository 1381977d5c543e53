import type { Random } from "../core/index.ts";
import type { Member, View } from "./view.ts";

/** Whom to ask next: every live member once in each turn, in an order that is shuffled anew for each (SWIM, 4.3). */
export interface RoundRobin {
  /** Null when nobody is live. The last of one turn may be the first of the next. */
  readonly next: () => Member | null;
  /** A new member gets a random place in the turn that runs, so that it is asked soon. */
  readonly arrived: (member: Member) => void;
  reset(): void;
}

/** A round robin over the live members of `view`. */
export function createRoundRobin(view: View, random: Random): RoundRobin {
  const order: Member[] = [];
  let cursor = 0;

  const reshuffle = (): void => {
    cursor = 0;
    order.length = 0;
    order.push(...view.live);
    for (let at = order.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      const member = order[at]!;
      order[at] = order[other]!;
      order[other] = member;
    }
  };

  return {
    next: () => {
      for (let left = order.length; left >= 0; left -= 1) {
        if (cursor >= order.length) reshuffle();
        const member = order[cursor];
        cursor += 1;
        if (member !== undefined && member.slot >= 0) return member;
      }
      return null;
    },
    arrived: (member) => {
      order.splice(cursor + Math.floor(random() * (order.length - cursor + 1)), 0, member);
    },
    reset: () => {
      order.length = 0;
    },
  };
}
