/** What a node sees at one moment: for GET /v1/mesh/state, and for whoever picks peers. */
import type { Context } from "./context.ts";
import type { Election, Leader } from "./election.ts";
import type { Exchange } from "./exchange.ts";
import { formatHash } from "./hash.ts";
import type { NodeLoad } from "./messages.ts";
import type { MemberStatus, NodeMeta } from "./record.ts";
import type { SelfHealth } from "./self-health.ts";
import type { Standing } from "./self.ts";
import type { Member } from "./view.ts";

/** A node as another sees it. Times are spans, because monotonic clocks do not leave their node. */
export interface NodeView {
  readonly id: string;
  readonly boot: number;
  readonly incarnation: number;
  readonly status: MemberStatus;
  readonly meta: NodeMeta;
  readonly ageMs: number;
  /** Since the last sign of life at first hand; null before the first. */
  readonly silentMs: number | null;
  readonly load: NodeLoad | null;
  /** The node says that it hears nobody or that its main loop stands. */
  readonly degraded: boolean;
  /** How much longer a node that came back from the dead gets little work; 0 for others. */
  readonly probationMs: number;
}

/** A node's view of its mesh. Plain data: it crosses from the mesh's thread to the main one. */
export interface MeshSnapshot {
  readonly self: NodeView;
  readonly standing: Standing;
  /** Nobody was heard for a while. */
  readonly lonely: boolean;
  readonly leader: Leader;
  /** Alive and suspect nodes, this one included. */
  readonly size: number;
  /** Equal on nodes whose live views are equal. */
  readonly hash: string;
  /** All but this node. The left are not listed. */
  readonly nodes: readonly NodeView[];
}

/** A view in figures. */
export interface MeshSummary {
  readonly standing: Standing;
  /** Alive and suspect, this node included. */
  readonly live: number;
  readonly suspects: number;
  readonly dead: number;
  /** Nodes that left and are remembered for a while. */
  readonly left: number;
  /** Pieces of news that are still being told. */
  readonly rumours: number;
  readonly hash: string;
}

/** Takes a snapshot as of the last step. */
export function takeSnapshot(
  context: Context,
  parts: { readonly election: Election; readonly health: SelfHealth; readonly exchange: Exchange },
): MeshSnapshot {
  const { self, view, now, settings } = context;
  const claim = self.claim();
  const own = parts.exchange.own();
  const probationOf = ({ contact }: Member): number => {
    if (contact === null || contact.revivals === 0) return 0;
    const span = settings.probationMs * 2 ** (contact.revivals - 1);
    return Math.max(0, contact.revivedAtMs + span - now());
  };
  const viewOf = (member: Member): NodeView => ({
    id: member.id,
    boot: member.claim.boot,
    incarnation: member.claim.incarnation,
    status: member.status,
    meta: member.claim.meta,
    ageMs: Math.max(0, now() - member.bornAtMs),
    silentMs:
      member.contact !== null && Number.isFinite(member.contact.heardAtMs) ? now() - member.contact.heardAtMs : null,
    load: member.contact?.load ?? null,
    degraded: member.contact?.degraded ?? false,
    probationMs: probationOf(member),
  });
  return {
    self: {
      id: self.id,
      boot: claim.boot,
      incarnation: claim.incarnation,
      status: self.standing() === "in" ? "alive" : "left",
      meta: claim.meta,
      ageMs: own.ageMs,
      silentMs: 0,
      load: own.load,
      degraded: own.degraded,
      probationMs: 0,
    },
    standing: self.standing(),
    lonely: parts.health.lonely(view.live.length, now()),
    leader: parts.election.leader(),
    size: view.size(),
    hash: formatHash(view.hash()),
    nodes: [...view.all()].filter(({ status }) => status !== "left").map(viewOf),
  };
}
