/**
 * Makes two views equal: hashes of 16 buckets, then digests of the buckets that differ, then the records that differ,
 * in both directions. Three messages whatever has happened, and nothing at all while the views are equal.
 */
import type { Context } from "./context.ts";
import { hashText } from "./hash.ts";
import type { Membership } from "./membership.ts";
import type { Digest, RecordNews, Repair } from "./messages.ts";
import { NO_ACCUSERS, STATUS_RANK } from "./record.ts";
import { bucketOf, BUCKETS, type Member } from "./view.ts";

const LEFT = STATUS_RANK.left;

/** The steps of a repair. Each returns what to send back; null when there is nothing more. */
export interface Repairs {
  /** To a peer whose hash differs. */
  open(): Repair;
  step(repair: Repair, from: string): Repair | null;
  /** Everything, for a node that joins; bounded by `maxRecords`, the rest comes by repair. */
  everything(): RecordNews[];
}

/** Repairs of `context.view`. `accused`: a peer holds something against this node, or a claim of it that is ahead. */
export function createRepairs(
  context: Context,
  membership: Membership,
  accused: (incarnation: number, version: number) => void,
): Repairs {
  const { self, view, settings } = context;
  const selfBucket = bucketOf(hashText(self.id)[1]);

  return {
    open: () => ({ step: "buckets", hashes: view.buckets() }),
    step: (repair, from) => {
      if (repair.step === "buckets") {
        const mine = view.buckets();
        const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket).filter(
          (bucket) =>
            mine[bucket * 2] !== repair.hashes[bucket * 2] || mine[bucket * 2 + 1] !== repair.hashes[bucket * 2 + 1],
        );
        return buckets.length === 0
          ? null
          : { step: "digests", buckets, digests: digestsOf(context, selfBucket, new Set(buckets)) };
      }
      if (repair.step === "digests") return compare(context, selfBucket, repair, accused);
      for (const record of repair.records) membership.hearRecord(record, "repair", from);
      const records = repair.wanted.flatMap((id) => {
        const member = view.get(id);
        return id === self.id ? [ownRecord(context)] : member === undefined ? [] : [recordOf(context, member)];
      });
      return records.length === 0
        ? null
        : { step: "records", records: records.slice(0, settings.maxRecords), wanted: [] };
    },
    everything: () => {
      const all = [...view.all()].map((member) => recordOf(context, member));
      return [ownRecord(context), ...all].slice(0, settings.maxRecords);
    },
  };
}

function recordOf({ now }: Context, { claim, status, accusers, bornAtMs }: Member): RecordNews {
  return { claim, status, accusers, ageMs: Math.max(0, Math.round(now() - bornAtMs)) };
}

function ownRecord({ self, now }: Context): RecordNews {
  const ageMs = Math.max(0, Math.round(now() - self.bornAtMs()));
  return { claim: self.claim(), status: "alive", accusers: NO_ACCUSERS, ageMs };
}

function digestsOf({ self, view, settings }: Context, selfBucket: number, buckets: ReadonlySet<number>): Digest[] {
  const list: Digest[] = [];
  for (const member of view.all()) if (buckets.has(bucketOf(member.idLow))) list.push(digestOf(member));
  const { id, boot, incarnation, version } = self.claim();
  if (buckets.has(selfBucket) && self.standing() === "in") list.push([id, boot, incarnation, version, 0]);
  return list.slice(0, settings.maxMembers + settings.maxTombstones);
}

/** What a peer lacks of the buckets it listed, and what it has that we lack. */
function compare(
  context: Context,
  selfBucket: number,
  theirs: Extract<Repair, { step: "digests" }>,
  accused: (incarnation: number, version: number) => void,
): Repair {
  const { self, view, settings } = context;
  const buckets = new Set(theirs.buckets);
  const records: RecordNews[] = [];
  const wanted: string[] = [];
  const listed = new Set<string>();
  for (const digest of theirs.digests) {
    const [id, boot, incarnation, version, rank] = digest;
    listed.add(id);
    if (id === self.id) {
      const own = self.claim();
      const isAhead = incarnation > own.incarnation || version > own.version || rank > 0;
      if (boot === own.boot && isAhead) accused(incarnation, version);
      if (self.standing() === "in") records.push(ownRecord(context));
      continue;
    }
    const mine = view.get(id);
    const gap = mine === undefined ? { mine: false, theirs: true } : gapOf(digestOf(mine), digest);
    if (gap.mine) records.push(recordOf(context, mine!));
    if (gap.theirs) wanted.push(id);
  }
  for (const member of view.live) {
    if (buckets.has(bucketOf(member.idLow)) && !listed.has(member.id)) records.push(recordOf(context, member));
  }
  if (buckets.has(selfBucket) && !listed.has(self.id) && self.standing() === "in") records.push(ownRecord(context));
  return { step: "records", records: records.slice(0, settings.maxRecords), wanted };
}

function digestOf({ id, claim, status }: Member): Digest {
  return [id, claim.boot, claim.incarnation, claim.version, STATUS_RANK[status]];
}

/** Which of two digests of one member has something that the other lacks; both may. Follows the order of record.ts. */
function gapOf(mine: Digest, theirs: Digest): { readonly mine: boolean; readonly theirs: boolean } {
  const lives = mine[1] - theirs[1] || Number(mine[4] === LEFT) - Number(theirs[4] === LEFT) || mine[2] - theirs[2];
  if (lives !== 0) return { mine: lives > 0, theirs: lives < 0 };
  return {
    mine: mine[3] > theirs[3] || mine[4] > theirs[4],
    theirs: mine[3] < theirs[3] || mine[4] < theirs[4],
  };
}
