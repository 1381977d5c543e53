/** Answers what peers ask. */
import type { Context } from "./context.ts";
import type { Detector } from "./detector.ts";
import type { MeshInput } from "./effects.ts";
import type { Election } from "./election.ts";
import type { Exchange } from "./exchange.ts";
import type { Membership } from "./membership.ts";
import type { HeartbeatRequest, JoinRequest, MeshReply, RefusalCode } from "./messages.ts";
import type { Repairs } from "./repair.ts";
import { PROTOCOL } from "./settings.ts";
import type { Sender } from "./speech.ts";

/** What requests are answered with. */
export interface RequestParts {
  readonly exchange: Exchange;
  readonly membership: Membership;
  readonly election: Election;
  readonly detector: Detector;
  readonly repairs: Repairs;
}

/** Answers of one node. */
export interface Requests {
  /** Answers once, perhaps in a later step. */
  answer(input: Extract<MeshInput, { kind: "request" }>): void;
}

/** Answers by `context`. */
export function createRequests(
  context: Context,
  { exchange, membership, election, detector, repairs }: RequestParts,
): Requests {
  const { self, view, settings, emit } = context;

  const refuse = (code: RefusalCode, ours = "", theirs = ""): MeshReply => ({ kind: "refused", code, ours, theirs });

  const join = ({ claim, cluster, protocol }: JoinRequest, from: Sender, remote: string | null): MeshReply => {
    if (cluster !== settings.cluster) return refuse("cluster", settings.cluster, cluster);
    if (protocol !== PROTOCOL) return refuse("protocol", String(PROTOCOL), String(protocol));
    if (from.id === self.id) return refuse("self");
    if (from.id !== claim.id || from.boot !== claim.boot) return refuse("invalid");
    if (view.size() >= settings.maxMembers && view.get(claim.id) === undefined) return refuse("full");
    // A node that does not know its address yet asks again with it.
    if (claim.meta.address !== "") membership.hearClaim({ claim, ageMs: 0 }, from.id);
    return {
      kind: "join",
      own: exchange.own(),
      records: repairs.everything(),
      lease: election.notice(),
      seenAs: remote,
    };
  };

  const heartbeat = (message: HeartbeatRequest, from: Sender, answer: (reply: MeshReply) => void): void => {
    exchange.meet(from, message.own);
    if (message.verdict !== null) membership.hearVerdict(message.verdict, "news");
    const reply = (relay: Extract<MeshReply, { kind: "heartbeat" }>["relay"]): void =>
      answer({ kind: "heartbeat", own: exchange.own(), verdict: exchange.verdictOn(from), relay });
    if (message.relay === null) reply(null);
    else detector.relay(message.relay.id, Math.min(message.relay.waitMs, settings.requestTimeoutMs), reply);
  };

  return {
    answer: ({ exchange: number, from, to, remote, message }) => {
      const answer = (reply: MeshReply): void => emit({ kind: "answer", exchange: number, message: reply });
      if (to !== null && to !== self.id) return answer(refuse("misdirected", self.id, to));
      if (self.standing() !== "in") return answer(refuse("left"));
      switch (message.kind) {
        case "gossip":
          return answer(exchange.answer(message, from));
        case "heartbeat":
          return heartbeat(message, from, answer);
        case "join":
          return answer(join(message, from, remote));
        case "leave":
          if (message.claim.id === from.id) membership.hearClaim({ claim: message.claim, ageMs: 0 }, from.id);
          if (message.lease !== null) election.hear(message.lease);
          return answer({ kind: "leave" });
        case "election":
          if (from.id !== message.candidate) return answer(refuse("invalid"));
          return election.answer(message, answer);
      }
    },
  };
}
