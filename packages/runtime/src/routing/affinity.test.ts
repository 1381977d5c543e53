import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LOAD_CAP, rendezvousOrder, withinBounds } from "./index.ts";

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });
const same = (name: string): string => name;

describe("rendezvousOrder", () => {
  test("does not depend on the order of the members", () => {
    fc.assert(
      fc.property(fc.string(), names, (key, members) => {
        expect(rendezvousOrder(key, members.toReversed(), same)).toEqual(rendezvousOrder(key, members, same));
      }),
    );
  });

  test("a member that goes moves only its own keys", () => {
    fc.assert(
      fc.property(fc.string(), names, fc.nat(), (key, members, index) => {
        const gone = members[index % members.length];
        const before = rendezvousOrder(key, members, same);
        const after = rendezvousOrder(
          key,
          members.filter((name) => name !== gone),
          same,
        );
        expect(after).toEqual(before.filter((name) => name !== gone));
      }),
    );
  });

  test("spreads keys evenly: of 10,000 over ten members each has between 900 and 1,100", () => {
    const members = Array.from({ length: 10 }, (_, index) => `node_${index}`);
    const counts = new Map<string, number>();
    for (let key = 0; key < 10_000; key += 1) {
      const home = rendezvousOrder(`session-${key}`, members, same)[0] ?? "";
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    for (const count of counts.values()) {
      expect(count).toBeGreaterThan(900);
      expect(count).toBeLessThan(1_100);
    }
  });
});

describe("withinBounds", () => {
  test("no member gets over the cap, whatever the keys", () => {
    fc.assert(
      fc.property(names, fc.array(fc.constantFrom("hot", "warm", "cold"), { maxLength: 60 }), (members, keys) => {
        const load = new Map(members.map((name) => [name, 0]));
        for (const key of keys) {
          const home = withinBounds(rendezvousOrder(key, members, same), (name) => load.get(name) ?? 0) ?? "";
          load.set(home, (load.get(home) ?? 0) + 1);
        }
        const most = Math.ceil((LOAD_CAP * Math.max(1, keys.length)) / members.length);
        for (const count of load.values()) expect(count).toBeLessThanOrEqual(most);
      }),
    );
  });
});
