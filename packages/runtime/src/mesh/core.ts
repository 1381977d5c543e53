/**
 * Maia's core: one node's membership, as a machine without clock, chance, timers or sockets of its own. It is driven by
 * `step(input, nowMs)` and says with `nextWakeMs()` when it wants to be woken. The same inputs at the same times, with the
 * same random numbers, give the same effects: that is what the simulator stands on.
 */
import type { Random } from "../core/index.ts";
import { type Context, createOutbox } from "./context.ts";
import { createDetector } from "./detector.ts";
import { createDissemination } from "./dissemination.ts";
import type { MeshEffect, MeshInput } from "./effects.ts";
import { createElection } from "./election.ts";
import { createExchange } from "./exchange.ts";
import { formatHash } from "./hash.ts";
import { createHealing } from "./healing.ts";
import { createMembership } from "./membership.ts";
import { settleName } from "./naming.ts";
import type { NodeMeta } from "./record.ts";
import { createRepairs } from "./repair.ts";
import { createRequests } from "./requests.ts";
import type { RecordSigner } from "./security.ts";
import { createSelfHealth } from "./self-health.ts";
import { createSelf } from "./self.ts";
import type { MeshSettings } from "./settings.ts";
import { type MeshSnapshot, type MeshSummary, takeSnapshot } from "./snapshot.ts";
import { createSuspicions } from "./suspicion.ts";
import { createView } from "./view.ts";

/** Who a node is and how its mesh behaves. */
export interface MeshOptions {
  readonly id: string;
  /** Above every earlier boot of this id. */
  readonly boot: number;
  /** The configured name; `meta.name` may carry the suffix chosen in an earlier life. */
  readonly label: string;
  readonly meta: NodeMeta;
  readonly seeds: readonly string[];
  readonly settings: MeshSettings;
  readonly signer: RecordSigner;
  readonly random: Random;
}

/** The machine. Messages that go in and out are shared, never changed. */
export interface MeshCore {
  /** Takes in one input at monotonic time `nowMs`, which never runs backwards. The result is valid until the next step. */
  step(input: MeshInput, nowMs: number): readonly MeshEffect[];
  /** When to call `step({ kind: "wake" })`, on the same clock. A wake that is late is noticed by the core itself. */
  nextWakeMs(): number;
  /** What this node sees, as of the last step. */
  snapshot(): MeshSnapshot;
  /** The figures of the snapshot, without the nodes: cheap. */
  summary(): MeshSummary;
  /** Until when this node may act as leader (I6); -Infinity when it is none. Check right before each act. */
  trustedUntilMs(): number;
  /** The epoch of the lease, for fencing. */
  epoch(): number;
}

/** A node that has not started yet. */
export function createMeshCore(options: MeshOptions, startMs: number): MeshCore {
  const { settings, random, signer } = options;
  let nowMs = startMs;
  let effects: MeshEffect[] = [];
  let hasChanged = false;
  let roundAtMs = Number.POSITIVE_INFINITY;
  let leaveAtMs = Number.POSITIVE_INFINITY;
  let wakeAtMs = Number.POSITIVE_INFINITY;
  let sentAtMs = startMs;

  const emit = (effect: MeshEffect): void => {
    if (effect.kind === "send") sentAtMs = nowMs;
    effects.push(effect);
  };
  const outbox = createOutbox(emit, settings.requestTimeoutMs);
  const self = createSelf(options.id, options.boot, options.meta, signer, startMs);
  const view = createView(self.id, settings);
  view.setSelf(self.claim());
  const restate = (): void => {
    view.setSelf(self.standing() === "in" ? self.claim() : null);
    dissemination.note(self.id, { claim: true });
    hasChanged = true;
  };
  const context: Context = {
    settings,
    random,
    signer,
    self,
    label: options.label,
    view,
    now: () => nowMs,
    emit,
    changed: () => {
      hasChanged = true;
    },
    restate,
    log: (level, event, fields) => emit({ kind: "log", level, event, fields }),
    ask: outbox.ask,
  };

  const health = createSelfHealth(settings, startMs);
  const suspicions = createSuspicions(context);
  const dissemination = createDissemination(context);
  const election = createElection(context, health, dissemination.nudge);
  const accused = (incarnation: number, version: number): void => {
    self.outdo(incarnation, version);
    context.log("info", "mesh_refuted", { incarnation: self.claim().incarnation });
    restate();
  };
  const goOut = (reason: "removed" | "displaced"): void => {
    election.resign();
    self.leave(reason);
    view.setSelf(null);
    emit({ kind: "out", reason });
    hasChanged = true;
  };
  const membership = createMembership(context, suspicions, dissemination, {
    arrived: (member) => detector.arrived(member),
    stated: (member) => {
      const { name } = self.claim().meta;
      if (member.claim.meta.name === name && member.id < self.id) settleName(context, false);
    },
    suspected: (member) => detector.suspected(member),
    accused,
    ousted: goOut,
  });
  const repairs = createRepairs(context, membership, accused);
  const exchange = createExchange(context, { membership, dissemination, election, repairs, health });
  const detector = createDetector(context, {
    exchange,
    membership,
    suspicions,
    health,
    lookAtStore: election.look,
  });
  const healing = createHealing(context, { exchange, membership, election });
  const requests = createRequests(context, { exchange, membership, election, detector, repairs });

  const scheduleRound = (): void => {
    roundAtMs = nowMs + settings.gossipIntervalMs * (0.9 + 0.2 * random());
  };

  const flush = (): void => {
    const peers = new Set<string>();
    for (let wanted = dissemination.flush(nowMs); wanted > 0; wanted -= 1) {
      const peer = view.pick(random, (one) => peers.has(one.id));
      if (peer === null) return;
      peers.add(peer.id);
      exchange.gossip(peer, false, (result) => detector.noteFailure(peer, result));
    }
  };

  const runDue = (): void => {
    if (nowMs >= leaveAtMs) finishLeave();
    if (self.standing() !== "in") return;
    detector.due(nowMs);
    for (const member of suspicions.due(nowMs)) membership.declareDead(member);
    if (nowMs >= roundAtMs) {
      scheduleRound();
      view.expire(nowMs);
      detector.round();
      healing.round();
    }
    healing.due(nowMs);
    election.due(nowMs);
    if (nowMs >= dissemination.nextAtMs()) flush();
    if (nowMs - sentAtMs >= settings.heartbeatIntervalMs) beat();
  };

  const beat = (): void => {
    sentAtMs = nowMs;
    const peer = view.pick(random, ({ status }) => status !== "alive");
    if (peer === null) return;
    const to = { id: peer.id, address: peer.claim.meta.address };
    const verdict = exchange.verdictOn({ id: peer.id, boot: peer.claim.boot });
    context.ask(to, { kind: "heartbeat", own: exchange.own(), verdict, relay: null }, exchange.hearReply);
  };

  /** Tells as many as a round of news would reach first; the rest hear it from them. */
  const leave = (): void => {
    if (self.standing() !== "in") return;
    election.resign();
    self.leave("left");
    view.setSelf(null);
    hasChanged = true;
    leaveAtMs = nowMs + LEAVE_MS;
    const told = new Set<string>();
    let acknowledged = 0;
    for (let wanted = LEAVE_PEERS; wanted > 0; wanted -= 1) {
      const peer = view.pick(random, (one) => told.has(one.id) || one.status !== "alive");
      if (peer === null) break;
      told.add(peer.id);
      context.ask(
        { id: peer.id, address: peer.claim.meta.address },
        { kind: "leave", claim: self.claim(), lease: election.notice() },
        (result) => {
          if (result.ok) acknowledged += 1;
          if (acknowledged === told.size && Number.isFinite(leaveAtMs)) finishLeave();
        },
      );
    }
    if (told.size === 0) finishLeave();
  };

  const finishLeave = (): void => {
    leaveAtMs = Number.POSITIVE_INFINITY;
    emit({ kind: "out", reason: "left" });
  };

  const rejoin = (input: Extract<MeshInput, { kind: "rejoin" }>): void => {
    if (self.standing() === "in" || input.boot <= self.claim().boot) return;
    leaveAtMs = Number.POSITIVE_INFINITY;
    self.rejoin(input, nowMs);
    for (const { id } of view.live) suspicions.clear(id);
    const known = view.forgetLive();
    detector.reset();
    dissemination.reset();
    restate();
    scheduleRound();
    healing.restart(known);
  };

  /** I11: everything that measures others' silence by our clock stands still for as long as we did. */
  const noteStall = (lateMs: number): void => {
    if (lateMs <= settings.stallMs) return;
    health.stalled(lateMs);
    detector.stalled(lateMs);
    suspicions.stalled(lateMs);
    context.log("warn", "mesh_stalled", { lateMs: Math.round(lateMs) });
  };

  const take = (input: MeshInput): void => {
    switch (input.kind) {
      case "start":
        healing.setSeeds(options.seeds);
        roundAtMs = nowMs + settings.gossipIntervalMs * random();
        healing.restart([]);
        break;
      case "wake":
        break;
      case "request":
        requests.answer(input);
        break;
      case "reply":
        outbox.settle(input.request, { ok: true, id: input.from.id, boot: input.from.boot, reply: input.message });
        break;
      case "failed":
        outbox.settle(input.request, { ok: false, reason: input.reason });
        break;
      case "lease":
        election.settle(input.request, input.outcome);
        break;
      case "load":
        self.setLoad(input.load);
        break;
      case "meta":
        self.amend(input.change);
        if (self.standing() === "in") restate();
        if (input.change.draining === true) election.resign();
        break;
      case "seeds":
        healing.setSeeds(input.addresses);
        break;
      case "leave":
        leave();
        break;
      case "rejoin":
        rejoin(input);
        break;
      case "remove":
        membership.remove(input.id);
        break;
    }
  };

  const nextWake = (): number => {
    if (self.standing() !== "in") return leaveAtMs;
    return Math.min(
      roundAtMs,
      detector.nextAtMs(),
      suspicions.nextAtMs(),
      dissemination.nextAtMs(),
      healing.nextAtMs(),
      election.nextAtMs(),
      sentAtMs + settings.heartbeatIntervalMs,
    );
  };

  return {
    step: (input, atMs) => {
      // Late is what comes after the time asked for, unless something ran in between: then we did not stand still.
      const lateMs = atMs - Math.max(wakeAtMs, nowMs);
      nowMs = atMs;
      effects = [];
      noteStall(lateMs);
      take(input);
      if (input.kind === "wake") runDue();
      if (hasChanged) {
        hasChanged = false;
        effects.push({ kind: "changed" });
      }
      // What is due already stays due: a wake that comes late must be seen to be late.
      wakeAtMs = nextWake();
      return effects;
    },
    nextWakeMs: () => wakeAtMs,
    snapshot: () => takeSnapshot(context, { election, health, exchange }),
    summary: () => ({
      standing: self.standing(),
      ...view.counts(),
      suspects: suspicions.count(),
      rumours: dissemination.size(),
      hash: formatHash(view.hash()),
    }),
    trustedUntilMs: election.trustedUntilMs,
    epoch: election.epoch,
  };
}

/** Peers told of a leave directly. */
const LEAVE_PEERS = 8;
/** How long a leave waits for them. */
const LEAVE_MS = 1_000;
