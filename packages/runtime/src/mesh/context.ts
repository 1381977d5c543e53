/** What the parts of the core share: time, chance, the view, and the way out. */
import type { Random } from "../core/index.ts";
import type { LogFields } from "../core/ports/index.ts";
import type { FailureReason, MeshEffect } from "./effects.ts";
import type { MeshReply, MeshRequest } from "./messages.ts";
import type { RecordSigner } from "./security.ts";
import type { Self } from "./self.ts";
import type { MeshSettings } from "./settings.ts";
import type { View } from "./view.ts";

/** How an exchange ended. */
export type Answered =
  | { readonly ok: true; readonly id: string; readonly boot: number; readonly reply: MeshReply }
  | { readonly ok: false; readonly reason: FailureReason };

/** Shared by all parts of one node's core. */
export interface Context {
  readonly settings: MeshSettings;
  readonly random: Random;
  readonly signer: RecordSigner;
  readonly self: Self;
  /** The configured name, without any suffix. */
  readonly label: string;
  readonly view: View;
  /** The monotonic time of this step. */
  readonly now: () => number;
  readonly emit: (effect: MeshEffect) => void;
  /** The view changed; told once at the end of the step. */
  readonly changed: () => void;
  /** The own claim changed: the hash follows, and others hear of it. */
  readonly restate: () => void;
  readonly log: (level: "debug" | "info" | "warn", event: string, fields: LogFields) => void;
  /** Sends a request; `done` is called once, in a later step. */
  readonly ask: (
    to: { readonly id: string | null; readonly address: string },
    message: MeshRequest,
    done: (result: Answered) => void,
  ) => void;
}

/** Waits for answers by number. */
export interface Outbox {
  ask: Context["ask"];
  settle(request: number, result: Answered): void;
}

/** An outbox that emits `send` effects. I10: bounded by what the parts ask; each is settled within its timeout. */
export function createOutbox(emit: (effect: MeshEffect) => void, timeoutMs: number): Outbox {
  const waiting = new Map<number, (result: Answered) => void>();
  let last = 0;
  return {
    ask: (to, message, done) => {
      last += 1;
      waiting.set(last, done);
      emit({ kind: "send", request: last, to, message, timeoutMs });
    },
    settle: (request, result) => {
      const done = waiting.get(request);
      waiting.delete(request);
      done?.(result);
    },
  };
}
