/**
 * This node's own claim.
 *
 * I1. Boot, incarnation and version are raised here and nowhere else.
 * I2. What others hold against this node is never stored; it is answered with a higher incarnation.
 */
import type { MeshInput } from "./effects.ts";
import type { NodeLoad, OwnState } from "./messages.ts";
import type { Claim, NodeMeta } from "./record.ts";
import type { RecordSigner } from "./security.ts";

/** Where this node stands with the mesh. */
export type Standing = "in" | "left" | "removed" | "displaced";

/** This node. */
export interface Self {
  readonly id: string;
  /** The last claim, signed. */
  claim(): Claim;
  standing(): Standing;
  bornAtMs(): number;
  own(nowMs: number, degraded: boolean): OwnState;
  setLoad(load: NodeLoad): void;
  load(): NodeLoad;
  amend(change: Partial<NodeMeta>): void;
  /** Answers an accusation, or a claim of this boot that is ahead (kept by others from before a counter was lost). */
  outdo(incarnation: number, version: number): void;
  leave(standing: Exclude<Standing, "in">): void;
  rejoin(input: Extract<MeshInput, { kind: "rejoin" }>, nowMs: number): void;
}

const NO_LOAD: NodeLoad = { activeRequests: 0, depth: 0, cpuPercent: 0, memoryPercent: 0, loopDelayMs: 0 };

/** The node `id` in its life `boot`, which began now. */
export function createSelf(id: string, boot: number, meta: NodeMeta, signer: RecordSigner, nowMs: number): Self {
  let standing: Standing = "in";
  let bornAtMs = nowMs;
  let load = NO_LOAD;
  const sign = (body: Omit<Claim, "key" | "signature">): Claim => signer.signClaim(body);
  let claim = sign({ id, boot, incarnation: 0, version: 0, left: false, meta });

  return {
    id,
    claim: () => claim,
    standing: () => standing,
    bornAtMs: () => bornAtMs,
    own: (nowMs, degraded) => ({
      incarnation: claim.incarnation,
      version: claim.version,
      ageMs: Math.max(0, Math.round(nowMs - bornAtMs)),
      degraded,
      load,
    }),
    setLoad: (value) => {
      load = value;
    },
    load: () => load,
    amend: (change) => {
      claim = sign({ ...claim, version: claim.version + 1, meta: { ...claim.meta, ...change } });
    },
    outdo: (incarnation, version) => {
      claim = sign({
        ...claim,
        incarnation: Math.max(claim.incarnation, incarnation) + 1,
        version: Math.max(claim.version, version),
      });
    },
    leave: (value) => {
      standing = value;
      claim = sign({ ...claim, version: claim.version + 1, left: true });
    },
    rejoin: (input, nowMs) => {
      standing = "in";
      bornAtMs = nowMs;
      claim = sign({ ...claim, boot: input.boot, incarnation: 0, version: 0, left: false });
    },
  };
}
