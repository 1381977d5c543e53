/** What the core is told and what it wants done. The shell turns these into HTTP, timers, database and log. */
import type { LogFields } from "../core/ports/index.ts";
import type { LeaseNotice, MeshReply, MeshRequest, NodeLoad } from "./messages.ts";
import type { NodeMeta } from "./record.ts";

/** Why an exchange brought no answer. `refused`: the host says that nothing listens. */
export type FailureReason = "refused" | "unreachable" | "timeout";

/** Something that happened. Each `send` and each `lease` is answered by exactly one input with its number. */
export type MeshInput =
  /** Once, before all else. */
  | { readonly kind: "start" }
  /** The time of `nextWakeMs()` has come. */
  | { readonly kind: "wake" }
  /** A request came in, already authenticated. `to` is whom the sender meant; null when it knew only an address. */
  | {
      readonly kind: "request";
      readonly exchange: number;
      readonly from: { readonly id: string; readonly boot: number };
      readonly to: string | null;
      /** The address the request came from; null when unknown. */
      readonly remote: string | null;
      readonly message: MeshRequest;
    }
  | {
      readonly kind: "reply";
      readonly request: number;
      readonly from: { readonly id: string; readonly boot: number };
      readonly message: MeshReply;
    }
  | { readonly kind: "failed"; readonly request: number; readonly reason: FailureReason }
  /** What the shared store said. */
  | { readonly kind: "lease"; readonly request: number; readonly outcome: LeaseOutcome }
  | { readonly kind: "load"; readonly load: NodeLoad }
  /** The owner's own data changed: agents, draining, address, .. */
  | { readonly kind: "meta"; readonly change: Partial<NodeMeta> }
  /** Addresses of seeds, as they resolve now. */
  | { readonly kind: "seeds"; readonly addresses: readonly string[] }
  /** Leave the mesh and serve on alone. */
  | { readonly kind: "leave" }
  /** Come back after leaving, being removed or being displaced; needs a boot above the last. */
  | { readonly kind: "rejoin"; readonly boot: number }
  /** Forget a dead node for good. */
  | { readonly kind: "remove"; readonly id: string };

/** The answer of the lease row. `denied` and `granted` both say who holds it now; `error`: the store did not answer. */
export type LeaseOutcome =
  | { readonly kind: "granted"; readonly lease: LeaseNotice }
  | { readonly kind: "denied"; readonly lease: LeaseNotice | null }
  | { readonly kind: "released" }
  | { readonly kind: "error" };

/** Something to do. */
export type MeshEffect =
  | {
      readonly kind: "send";
      readonly request: number;
      /** `id` null: whoever answers at the address. */
      readonly to: { readonly id: string | null; readonly address: string };
      readonly message: MeshRequest;
      readonly timeoutMs: number;
    }
  | { readonly kind: "answer"; readonly exchange: number; readonly message: MeshReply }
  /** One statement on the lease row, by the database's clock. `look` changes nothing. */
  | {
      readonly kind: "lease";
      readonly request: number;
      readonly action: "acquire" | "release" | "look";
      readonly candidate: string;
      readonly boot: number;
      /**
       * The epoch that the candidate holds; 0 for none. `acquire` keeps the row's epoch when holder, boot and epoch are
       * these, else takes a row that has expired, is free or is this boot's, with the next epoch. `release` frees the
       * row when all three fit.
       */
      readonly epoch: number;
    }
  /** The view, the leader or this node's standing changed; `snapshot()` has it. At most one in a step. */
  | { readonly kind: "changed" }
  /** The suffix this node chose for its taken name: to be kept with the node's identity. */
  | { readonly kind: "keep_name"; readonly name: string }
  /** This node is out of the mesh: it left, was removed, or another life of it took its place. */
  | { readonly kind: "out"; readonly reason: "left" | "removed" | "displaced" }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn";
      readonly event: string;
      readonly fields: LogFields;
    };
