/**
 * Finds the way back: to the mesh at the start, to the dead that may live on the other side of a cut, to seeds when none
 * is live here.
 *
 * H3. Joining is tried for ever, with backoff; a node serves on its own meanwhile.
 * H4. In every round one dead member is asked, with probability dead / (live + 1), so that two halves of any size meet.
 */
import type { Context } from "./context.ts";
import type { Election } from "./election.ts";
import type { Exchange } from "./exchange.ts";
import type { Membership } from "./membership.ts";
import { type MeshReply, type RefusalCode } from "./messages.ts";
import { settleName } from "./naming.ts";
import { PROTOCOL } from "./settings.ts";

/** Joining and healing of one node. */
export interface Healing {
  setSeeds(addresses: readonly string[]): void;
  /** With each round of exchanges. */
  round(): void;
  due(nowMs: number): void;
  nextAtMs(): number;
  /** Tries at once, and from the shortest backoff; `known` are addresses to try besides the seeds. */
  restart(known: readonly string[]): void;
}

/** What healing works with. */
export interface HealingParts {
  readonly exchange: Exchange;
  readonly membership: Membership;
  readonly election: Election;
}

/** Refusals that time will not mend without somebody's help; told as warnings. */
const GRAVE: readonly RefusalCode[] = ["cluster", "protocol", "full"];

/** Members of an earlier stay that are asked besides the seeds. */
const ACQUAINTANCES = 16;

/** Healing of one node. */
export function createHealing(context: Context, { exchange, membership, election }: HealingParts): Healing {
  const { settings, self, view, random, now } = context;
  let seeds: readonly string[] = [];
  let acquaintances: readonly string[] = [];
  let backoffMs = settings.joinRetryMs;
  let nextAtMs = Number.POSITIVE_INFINITY;
  const { join, asking } = createJoiner(context, { exchange, membership, election });
  const isAlone = (): boolean => view.live.length === 0;

  /** A seed that is no live member's address. */
  const strangers = (): string[] => {
    const own = self.claim().meta.address;
    return [...seeds, ...(isAlone() ? acquaintances : [])].filter((address) => address !== own && !asking.has(address));
  };
  const knowsSeed = (): boolean => {
    const addresses = new Set(seeds);
    return view.live.some(({ claim }) => addresses.has(claim.meta.address));
  };

  const askSeed = (): void => {
    const choice = strangers();
    const address = choice[Math.floor(random() * choice.length)];
    if (address !== undefined) join(address);
  };

  return {
    setSeeds: (addresses) => {
      seeds = addresses;
      if (isAlone()) nextAtMs = now();
    },
    round: () => {
      if (random() < view.counts().dead / (view.live.length + 1)) {
        const member = view.pickDead(random);
        if (member !== null) exchange.gossip(member, false);
      }
      if (!knowsSeed()) askSeed();
    },
    due: (nowMs) => {
      if (nowMs < nextAtMs || self.standing() !== "in") return;
      backoffMs = Math.min(settings.joinRetryMaxMs, backoffMs * 2);
      nextAtMs = nowMs + backoffMs * (0.75 + random() / 2);
      if (isAlone()) askSeed();
      else {
        nextAtMs = Number.POSITIVE_INFINITY;
        backoffMs = settings.joinRetryMs;
      }
    },
    nextAtMs: () => nextAtMs,
    restart: (known) => {
      acquaintances = known.slice(0, ACQUAINTANCES);
      backoffMs = settings.joinRetryMs;
      nextAtMs = now();
    },
  };
}

/** Asks addresses to be let in; each address at most once at a time. */
function createJoiner(
  context: Context,
  { exchange, membership, election }: HealingParts,
): { readonly join: (address: string) => void; readonly asking: ReadonlySet<string> } {
  const { settings, self, view, ask, log } = context;
  const asking = new Set<string>();

  const join = (address: string): void => {
    if (asking.has(address)) return;
    asking.add(address);
    const message = { kind: "join", claim: self.claim(), cluster: settings.cluster, protocol: PROTOCOL } as const;
    ask({ id: null, address }, message, (result) => {
      asking.delete(address);
      if (result.ok) joined(address, result, result.reply);
    });
  };

  const joined = (address: string, from: { id: string; boot: number }, reply: MeshReply): void => {
    if (reply.kind === "refused" && GRAVE.includes(reply.code)) {
      log("warn", "mesh_join_refused", { seed: address, code: reply.code, ours: reply.theirs, theirs: reply.ours });
    }
    if (reply.kind !== "join") return;
    const wasAlone = view.live.length === 0;
    for (const record of reply.records)
      membership.hearRecord(record, "join", from.id === record.claim.id ? "" : from.id);
    exchange.meet(from, reply.own);
    if (reply.lease !== null) election.hear(reply.lease);
    if (self.claim().meta.address === "" && reply.seenAs !== null) {
      self.amend({ address: reply.seenAs });
      context.restate();
      return join(address);
    }
    if (wasAlone && settleName(context, true)) return join(address);
    return undefined;
  };

  return { join, asking };
}
