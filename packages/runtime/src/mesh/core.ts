/**
 * Maia's core: one node's membership, as a machine without clock, chance, timers or sockets of its own. It is driven by
 * `step(input, nowMs)` and says with `nextWakeMs()` when it wants to be woken. The same inputs at the same times, with the
 * same random numbers, give the same effects: that is what the simulator stands on.
 */
import type { Random } from "../core/index.ts";
import { type Context, createOutbox, type Outbox } from "./context.ts";
import { createDeparture, type Departure } from "./departure.ts";
import type { MeshEffect, MeshInput } from "./effects.ts";
import { formatHash } from "./hash.ts";
import { createParts, type Parts } from "./parts.ts";
import { createPulse } from "./pulse.ts";
import type { NodeMeta } from "./record.ts";
import type { RecordSigner } from "./security.ts";
import { createSelf } from "./self.ts";
import type { MeshSettings } from "./settings.ts";
import { type MeshSnapshot, type MeshSummary, takeSnapshot } from "./snapshot.ts";
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

/** What a step collects. */
interface Desk {
  nowMs: number;
  effects: MeshEffect[];
  hasChanged: boolean;
}

/** A node that has not started yet. */
export function createMeshCore(options: MeshOptions, startMs: number): MeshCore {
  const desk: Desk = { nowMs: startMs, effects: [], hasChanged: false };
  let wakeAtMs = Number.POSITIVE_INFINITY;
  const outbox = createOutbox((effect) => {
    pulse.sent();
    desk.effects.push(effect);
  }, options.settings.requestTimeoutMs);
  const context = createContext(options, desk, outbox.ask, (id) => parts.dissemination.note(id, { claim: true }));
  const { self, view } = context;
  const parts = createParts(context);
  const pulse = createPulse(context, parts);
  const departure = createDeparture(context, parts, pulse);
  const { detector, dissemination, election, health, suspicions } = parts;

  /** I11: everything that measures others' silence by our clock stands still for as long as we did. */
  const noteStall = (lateMs: number): void => {
    if (lateMs <= options.settings.stallMs) return;
    health.stalled(lateMs);
    detector.stalled(lateMs);
    suspicions.stalled(lateMs);
    context.log("warn", "mesh_stalled", { lateMs: Math.round(lateMs) });
  };

  const start = (): void => {
    parts.healing.setSeeds(options.seeds);
    parts.healing.restart([]);
    pulse.start();
  };
  const runDue = (): void => {
    departure.due(desk.nowMs);
    if (self.standing() === "in") pulse.due(desk.nowMs);
  };

  return {
    step: (input, atMs) => {
      // Late is what comes after the time asked for, unless something ran in between: then we did not stand still.
      const lateMs = atMs - Math.max(wakeAtMs, desk.nowMs);
      desk.nowMs = atMs;
      desk.effects = [];
      noteStall(lateMs);
      if (input.kind === "start") start();
      else if (input.kind === "wake") runDue();
      else take(input, context, parts, outbox, departure);
      if (desk.hasChanged) desk.effects.push({ kind: "changed" });
      desk.hasChanged = false;
      // What is due already stays due: a wake that comes late must be seen to be late.
      wakeAtMs = self.standing() === "in" ? pulse.nextAtMs() : departure.nextAtMs();
      return desk.effects;
    },
    nextWakeMs: () => wakeAtMs,
    snapshot: () => takeSnapshot(context, parts),
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

/** What the world says, handed to the part that it concerns. */
function take(
  input: Exclude<MeshInput, { kind: "start" | "wake" }>,
  { self, restate, log }: Context,
  { election, healing, membership, requests }: Parts,
  outbox: Outbox,
  departure: Departure,
): void {
  switch (input.kind) {
    case "request":
      return requests.answer(input);
    case "reply":
      return outbox.settle(input.request, { ok: true, ...input.from, reply: input.message });
    case "failed":
      return outbox.settle(input.request, { ok: false, reason: input.reason });
    case "lease":
      return election.settle(input.request, input.outcome);
    case "load":
      return self.setLoad(input.load);
    case "meta":
      self.amend(input.change);
      if (self.standing() === "in") restate();
      return input.change.draining === true ? election.resign() : undefined;
    case "seeds":
      return healing.setSeeds(input.addresses);
    case "leave":
      return departure.leave();
    case "rejoin":
      return departure.rejoin(input) ? undefined : log("warn", "mesh_rejoin_refused", { boot: input.boot });
    case "remove":
      return membership.remove(input.id) ? undefined : log("warn", "mesh_not_dead", { node: input.id });
  }
}

/** `tell`: others should hear of the own claim. */
function createContext(options: MeshOptions, desk: Desk, ask: Context["ask"], tell: (id: string) => void): Context {
  const { settings, random, signer, label } = options;
  const self = createSelf(options.id, options.boot, options.meta, signer, desk.nowMs);
  const view = createView(self.id, settings);
  view.setSelf(self.claim());
  return {
    settings,
    random,
    signer,
    self,
    label,
    view,
    now: () => desk.nowMs,
    emit: (effect) => {
      desk.effects.push(effect);
    },
    changed: () => {
      desk.hasChanged = true;
    },
    restate: () => {
      view.setSelf(self.standing() === "in" ? self.claim() : null);
      tell(self.id);
      desk.hasChanged = true;
    },
    log: (level, event, fields) => {
      desk.effects.push({ kind: "log", level, event, fields });
    },
    ask,
  };
}
