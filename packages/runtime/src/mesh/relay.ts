import type { Context } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { HeartbeatRequest, RelayResult } from "./messages.ts";
import type { Member } from "./view.ts";

/** A probe made for somebody else. */
interface Errand {
  readonly member: Member;
  readonly answer: (result: RelayResult) => void;
  readonly dueAtMs: number;
}

/** Probes for peers that get no answer themselves. */
export interface Relay {
  /** Probes `id`; `answer` is called once, in time for the peer that waits. */
  readonly run: (id: string, waitMs: number, answer: (result: RelayResult) => void) => void;
  due(nowMs: number): void;
  nextAtMs(): number;
  /** We stood still, so we know nothing: neither ack nor nack. */
  stalled(): void;
}

/** Helpers answer after this part of the time they have, so that their word arrives (Lifeguard). */
const NACK_AT = 0.8;

/** Errands of one node. `gone`: a host says that the member is not there. */
export function createRelay(context: Context, exchange: Exchange, gone: (member: Member) => void): Relay {
  const { view, now, ask } = context;
  const errands = new Set<Errand>();

  const finish = (errand: Errand, result: RelayResult): void => {
    if (!errands.delete(errand)) return;
    if (result === "nack") view.contact(errand.member).failedAtMs = now();
    errand.answer(result);
  };

  return {
    run: (id, waitMs, answer) => {
      const member = view.get(id);
      if (member === undefined) {
        answer("unknown");
        return;
      }
      const errand: Errand = { member, answer, dueAtMs: now() + waitMs * NACK_AT };
      errands.add(errand);
      const verdict = exchange.verdictOn({ id, boot: member.claim.boot });
      const message: HeartbeatRequest = { kind: "heartbeat", own: exchange.own(), verdict, relay: null };
      ask({ id, address: member.claim.meta.address }, message, (result) => {
        exchange.hearReply(result);
        if (result.ok && result.id === id) finish(errand, "ack");
        else if (!errands.has(errand)) return;
        else if (result.ok || result.reason === "refused") {
          gone(member);
          finish(errand, "refused");
        } else finish(errand, "nack");
      });
    },
    due: (nowMs) => {
      for (const errand of errands) if (errand.dueAtMs <= nowMs) finish(errand, "nack");
    },
    nextAtMs: () => {
      let next = Number.POSITIVE_INFINITY;
      for (const { dueAtMs } of errands) if (dueAtMs < next) next = dueAtMs;
      return next;
    },
    stalled: () => {
      for (const errand of errands) finish(errand, "unknown");
    },
  };
}
