/**
 * Sessions stay where they are: rendezvous hashing (Thaler and Ravishankar, 1998) with bounded loads (Mirrokni, Thorup
 * and Zadimoghaddam, 2018). A node that comes or goes moves only its own share of the keys, and a node that is more than
 * a quarter over the average passes new work on to the key's next choice.
 */

/** How far over the average load a key's home may be. */
export const LOAD_CAP = 1.25;

/** The members in the order in which a key prefers them: the same on every node that knows the same members. */
export function rendezvousOrder<T>(key: string, members: readonly T[], idOf: (member: T) => string): readonly T[] {
  return members
    .map((member) => ({ member, id: idOf(member), weight: hash(`${idOf(member)}\n${key}`) }))
    .toSorted((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1))
    .map(({ member }) => member);
}

/** The first of an order whose load, with one request more, is within the cap; the first of all when none is. */
export function withinBounds<T>(order: readonly T[], loadOf: (member: T) => number, cap = LOAD_CAP): T | null {
  const total = order.reduce((sum, member) => sum + loadOf(member), 0);
  const most = Math.ceil((cap * (total + 1)) / order.length);
  return order.find((member) => loadOf(member) + 1 <= most) ?? order[0] ?? null;
}

/** FNV-1a over UTF-16 units, then the finalizer of MurmurHash3, since FNV's high bits mix badly. Unsigned 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
