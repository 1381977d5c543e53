/** Leaving a mesh that goes on, and coming back to it. */
import type { Context } from "./context.ts";
import type { MeshInput } from "./effects.ts";
import type { Parts } from "./parts.ts";
import type { Pulse } from "./pulse.ts";

/** Departures of one node. */
export interface Departure {
  /** Tells as many as a round of news would reach first; the rest hear it from them. `out` follows. */
  leave(): void;
  /** False when the node is in, or the boot is no new one (I4). */
  rejoin(input: Extract<MeshInput, { kind: "rejoin" }>): boolean;
  due(nowMs: number): void;
  nextAtMs(): number;
}

/** Peers told of a leave directly. */
const LEAVE_PEERS = 8;
/** How long a leave waits for them. */
const LEAVE_MS = 1_000;

/** Departures by `context`. */
export function createDeparture(context: Context, parts: Parts, pulse: Pulse): Departure {
  const { self, view, random, now } = context;
  const { detector, dissemination, election, healing, suspicions } = parts;
  let leaveAtMs = Number.POSITIVE_INFINITY;

  const finish = (): void => {
    leaveAtMs = Number.POSITIVE_INFINITY;
    context.emit({ kind: "out", reason: "left" });
  };

  const tell = (): void => {
    const told = new Set<string>();
    let acknowledged = 0;
    const message = { kind: "leave", claim: self.claim(), lease: election.notice() } as const;
    for (let wanted = LEAVE_PEERS; wanted > 0; wanted -= 1) {
      const peer = view.pick(random, (one) => told.has(one.id) || one.status !== "alive");
      if (peer === null) break;
      told.add(peer.id);
      context.ask({ id: peer.id, address: peer.claim.meta.address }, message, (result) => {
        if (result.ok) acknowledged += 1;
        if (acknowledged === told.size && Number.isFinite(leaveAtMs)) finish();
      });
    }
    if (told.size === 0) finish();
  };

  return {
    leave: () => {
      if (self.standing() !== "in") return;
      election.resign();
      self.leave("left");
      view.setSelf(null);
      context.changed();
      leaveAtMs = now() + LEAVE_MS;
      tell();
    },
    rejoin: (input) => {
      if (self.standing() === "in" || input.boot <= self.claim().boot) return false;
      leaveAtMs = Number.POSITIVE_INFINITY;
      self.rejoin(input, now());
      // Who lived when this node went may be long gone: it learns that anew, and keeps only where to ask.
      for (const { id } of view.live) suspicions.clear(id);
      const known = view.forgetLive();
      detector.reset();
      dissemination.reset();
      context.restate();
      pulse.start();
      healing.restart(known);
      return true;
    },
    due: (nowMs) => {
      if (nowMs >= leaveAtMs) finish();
    },
    nextAtMs: () => leaveAtMs,
  };
}
