/**
 * Who may speak to this node as another node.
 *
 * P1. With a mesh secret every request between nodes is signed, meant for this node id, of this cluster, and new.
 * P2. Without one, only neighbours on loopback or a private network are believed, only while no API keys are set (or
 *     anybody near could name any principal), and nobody but this machine is an administrator.
 */
import { randomBytes } from "node:crypto";

import { AstromeshError, createReplayGuard } from "../core/index.ts";
import type { Envelope, Keyring, Principal } from "../core/index.ts";
import { classOfAddress, sealedDigest } from "../net/index.ts";
import { PEER_HEADERS, peerContext } from "../wire/index.ts";
import type { PeerContext } from "../wire/index.ts";
import { isLoopbackAddress } from "./auth.ts";

/** A request as it came in. */
export interface PeerArrival {
  readonly headers: Headers;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
  /** The address of the connection's other end; null when unknown. */
  readonly peerAddress: string | null;
}

/** Who asks, on whose behalf, and for how long. */
export interface PeerCaller {
  /** The id of the node that sent the request. */
  readonly nodeId: string;
  /** Null: the node asks for itself. */
  readonly principal: Principal | null;
  readonly via: readonly string[];
  readonly deadlineMs: number | null;
}

/** The gate of a node. */
export interface PeerGate {
  /**
   * Throws `unauthorized` (not signed, or not by our secret), `misdirected` (meant for another node or cluster),
   * `peer_unproven` (`details.challenge` must come back), or `invalid_request` for headers that make no sense.
   *
   * @param anyReceiver the sender need not know who listens here: for a status, which tells
   */
  admit(arrival: PeerArrival, anyReceiver: boolean): PeerCaller;
}

/** Whose gate it is. */
export interface PeerGateOptions {
  readonly nodeId: string;
  readonly cluster: string;
  /** Null: no mesh secret. */
  readonly keyring: Keyring | null;
  /** API keys are set on this node. */
  readonly keyed: boolean;
}

const MAX_SENDERS = 2_048;
const MAX_CHALLENGES = 4_096;

/** Makes a gate. */
export function createPeerGate(options: PeerGateOptions): PeerGate {
  const { keyring, nodeId, cluster } = options;
  const proveFresh = createFreshness();
  return {
    admit(arrival, anyReceiver) {
      const said = readHeaders(arrival.headers);
      if (said.cluster !== cluster) {
        throw new AstromeshError("misdirected", `this node is of the mesh ${cluster}, not of ${said.cluster}`);
      }
      if (said.receiver === null ? !anyReceiver && keyring !== null : said.receiver !== nodeId) {
        throw new AstromeshError("misdirected", `this is node ${nodeId}, not ${said.receiver ?? "an unnamed one"}`);
      }
      if (keyring === null) return unsigned(arrival, said, options.keyed);
      const [keyId = "", mac = ""] = (arrival.headers.get(PEER_HEADERS.seal) ?? "").split(" ");
      if (mac === "") throw new AstromeshError("unauthorized", "nodes of this mesh sign what they say to each other");
      if (!keyring.accepts(envelopeOf(arrival, said), { keyId, mac })) {
        throw new AstromeshError("unauthorized", "the request is not signed with a secret of this mesh");
      }
      proveFresh(said);
      return callerOf(said);
    },
  };
}

/** Each sender's counters, and the challenges that are out. A challenge serves once. */
function createFreshness(): (said: Said) => void {
  const guard = createReplayGuard(MAX_SENDERS);
  const challenges = new Set<string>();
  return ({ sender, boot, counter, echo }) => {
    const proven = challenges.delete(echo);
    const verdict = guard.check(sender, boot, counter);
    if (verdict === "fresh") return;
    if (verdict === "unknown_boot" && proven) {
      guard.admit(sender, boot, counter);
      return;
    }
    const challenge = randomBytes(18).toString("base64url");
    challenges.add(challenge);
    const [oldest] = challenges;
    if (challenges.size > MAX_CHALLENGES && oldest !== undefined) challenges.delete(oldest);
    const message = verdict === "replayed" ? "this request was made before" : "echo the challenge to prove this boot";
    throw new AstromeshError("peer_unproven", message, { details: { challenge } });
  };
}

/** The headers of a request between nodes, read. */
interface Said {
  readonly sender: string;
  readonly boot: number;
  readonly counter: number;
  readonly cluster: string;
  readonly receiver: string | null;
  readonly rawContext: string;
  readonly context: PeerContext;
  readonly echo: string;
}

function readHeaders(headers: Headers): Said {
  const match = /^(\S{1,128}) (\d{1,15}) (\d{1,15})$/.exec(headers.get(PEER_HEADERS.sender) ?? "");
  const rawContext = headers.get(PEER_HEADERS.context) ?? "";
  const context = parseContext(rawContext);
  if (match === null || context === null) {
    throw new AstromeshError("unauthorized", "this route is for other nodes of the mesh");
  }
  return {
    sender: match[1] ?? "",
    boot: Number(match[2]),
    counter: Number(match[3]),
    cluster: headers.get(PEER_HEADERS.cluster) ?? "",
    receiver: headers.get(PEER_HEADERS.receiver),
    rawContext,
    context,
    echo: headers.get(PEER_HEADERS.echo) ?? "",
  };
}

function parseContext(raw: string): PeerContext | null {
  try {
    const parsed = peerContext.safeParse(JSON.parse(Buffer.from(raw, "base64url").toString("utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function envelopeOf({ method, path, body }: PeerArrival, said: Said): Envelope {
  const { cluster, sender, boot, receiver, counter, rawContext, echo } = said;
  const digest = sealedDigest({ context: rawContext, echo, body });
  return { part: "request", method, path, cluster, sender, boot, receiver, counter, digest };
}

/** P2. */
function unsigned({ headers, peerAddress }: PeerArrival, said: Said, keyed: boolean): PeerCaller {
  if (keyed) {
    const message = "this node has API keys, so other nodes must sign: set ASTROMESH_MESH_SECRET on all of them";
    throw new AstromeshError("unauthorized", message);
  }
  const isProxied = headers.has("forwarded") || headers.has("x-forwarded-for");
  if (peerAddress === null || isProxied || classOfAddress(peerAddress) !== "private") {
    const message = "without ASTROMESH_MESH_SECRET only nodes of this machine or a private network are served";
    throw new AstromeshError("unauthorized", message);
  }
  const caller = callerOf(said);
  if (isLoopbackAddress(peerAddress) || caller.principal === null) return caller;
  const { id, scopes } = caller.principal;
  return { ...caller, principal: { id, scopes: scopes.filter((scope) => scope !== "admin") } };
}

const callerOf = ({ sender, context }: Said): PeerCaller => ({
  nodeId: sender,
  principal: context.principal,
  via: context.via,
  deadlineMs: context.deadline_ms,
});
