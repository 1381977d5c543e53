/**
 * Requests from this node to another: signed with the mesh's secret, meant for one node id, proven fresh.
 *
 * N1. A request that was refused with a challenge has begun nothing, so it is sent again, with the echo and a new counter.
 * N2. A user's key never leaves: whom the request is for goes as a name in the signed context.
 */
import type { Keyring, Principal } from "../core/index.ts";
import { PEER_HEADERS } from "../wire/index.ts";
import type { PeerContext } from "../wire/index.ts";
import { connectionFault } from "./connection-fault.ts";
import type { ConnectionFault } from "./connection-fault.ts";
import { readText } from "./http-client.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";
import { sealedDigest } from "./seal-keys.ts";

/** Who sends. */
export interface PeerSender {
  readonly nodeId: string;
  readonly boot: number;
  readonly cluster: string;
  /** Null: requests go unsigned, which others accept on private networks only. */
  readonly keyring: Keyring | null;
}

/** Where a request goes. */
export interface PeerTarget {
  /** Base URL. */
  readonly url: string;
  /** Null while it is unknown; only a status may then be asked for. */
  readonly nodeId: string | null;
}

/** A request to a node. Always a POST, so that all it says is in the body and under the seal. */
export interface PeerRequest {
  readonly path: string;
  /** JSON. */
  readonly body: string;
  readonly principal: Principal | null;
  /** The nodes that forwarded it to this one. */
  readonly via: readonly string[];
  /** How long this node waits at the most. Null: as long as it takes. */
  readonly deadlineMs: number | null;
  readonly traceparent: string | null;
  readonly signal: AbortSignal;
}

/** What came of it. `unreached` says whether the request may have begun all the same: its bytes may have arrived. */
export type PeerAnswer =
  | { readonly kind: "answered"; readonly response: HttpResponse }
  | {
      readonly kind: "unreached";
      readonly fault: ConnectionFault;
      readonly mayHaveBegun: boolean;
      readonly error: unknown;
    };

/** Speaks to other nodes. */
export interface PeerClient {
  /** Rejects only with the signal's reason. */
  send(target: PeerTarget, request: PeerRequest): Promise<PeerAnswer>;
}

/** Faults of a connection that never stood: nothing of the request has left. */
const NEVER_SENT: ReadonlySet<ConnectionFault> = new Set(["refused", "dns", "unreachable", "tls"]);

/** A second challenge can come when another request of ours was admitted between the two; a third means trouble. */
const MAX_SENDS = 3;

/** A client. Its counter is one for all receivers, so that no two requests of a boot ever share one. */
export function createPeerClient(deps: { readonly http: HttpClient; readonly sender: PeerSender }): PeerClient {
  const { http, sender } = deps;
  let counter = 0;

  const sendOnce = async (target: PeerTarget, request: PeerRequest, echo: string): Promise<PeerAnswer> => {
    counter += 1;
    const headers = headersOf(sender, counter, target, request, echo);
    const { body, signal } = request;
    try {
      const url = new URL(request.path, target.url).href;
      return { kind: "answered", response: await http.request({ method: "POST", url, headers, body, signal }) };
    } catch (error) {
      signal.throwIfAborted();
      const fault = connectionFault(error);
      return { kind: "unreached", fault, mayHaveBegun: !NEVER_SENT.has(fault), error };
    }
  };

  return {
    async send(target, request) {
      let echo = "";
      for (let sends = 1; ; sends += 1) {
        const answer = await sendOnce(target, request, echo);
        if (answer.kind === "unreached" || answer.response.status !== 409 || sends >= MAX_SENDS) return answer;
        const challenge = answer.response.headers[PEER_HEADERS.challenge];
        if (typeof challenge !== "string") return answer;
        // Read to its end, so that the connection can be used again.
        await readText(answer.response.body, 4_096);
        echo = challenge;
      }
    },
  };
}

function headersOf(
  sender: PeerSender,
  counter: number,
  target: PeerTarget,
  request: PeerRequest,
  echo: string,
): Record<string, string> {
  const { principal, via, deadlineMs, traceparent, body, path } = request;
  const said: PeerContext = {
    principal: principal === null ? null : { id: principal.id, scopes: [...principal.scopes] },
    via: [...via],
    deadline_ms: deadlineMs === null ? null : Math.max(0, Math.round(deadlineMs)),
  };
  const context = Buffer.from(JSON.stringify(said)).toString("base64url");
  const headers: Record<string, string> = {
    "content-type": "application/json",
    [PEER_HEADERS.sender]: `${sender.nodeId} ${sender.boot} ${counter}`,
    [PEER_HEADERS.cluster]: sender.cluster,
    [PEER_HEADERS.context]: context,
    ...(target.nodeId === null ? {} : { [PEER_HEADERS.receiver]: target.nodeId }),
    ...(echo === "" ? {} : { [PEER_HEADERS.echo]: echo }),
    ...(traceparent === null ? {} : { traceparent }),
  };
  if (sender.keyring === null) return headers;
  const { keyId, mac } = sender.keyring.seal({
    part: "request",
    method: "POST",
    path,
    cluster: sender.cluster,
    sender: sender.nodeId,
    boot: sender.boot,
    receiver: target.nodeId,
    counter,
    digest: sealedDigest({ context, echo, body }),
  });
  return { ...headers, [PEER_HEADERS.seal]: `${keyId} ${mac}` };
}
