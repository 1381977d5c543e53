import type { ErrorRecord } from "./errors.ts";
import type { Json } from "./json.ts";
import type { RunStatus, StopReason, WaitReason } from "./run.ts";
import type { Usage } from "./usage.ts";

/** What a run tells those who watch it. */
export type RunEvent =
  | { readonly type: "run.started"; readonly attempt: number; readonly agent: string }
  | { readonly type: "token"; readonly text: string; readonly thread: string }
  | { readonly type: "tool_call"; readonly id: string; readonly name: string; readonly arguments: Json }
  | {
      readonly type: "tool_result";
      readonly id: string;
      readonly name: string;
      readonly ok: boolean;
      /** At most 4 KiB of the result; the whole stands in the run's thread. */
      readonly preview: string;
    }
  | { readonly type: "waiting"; readonly reason: WaitReason; readonly until: number | null }
  /** Everything after offset `to` that an earlier attempt said is void. */
  | { readonly type: "retract"; readonly to: number; readonly reason: string }
  | {
      readonly type: "done";
      readonly status: RunStatus;
      readonly stopReason: StopReason;
      readonly response: string;
      readonly usage: Usage;
    }
  | { readonly type: "error"; readonly error: ErrorRecord };

/** An event at its place in the run's stream. */
export interface StreamEvent {
  readonly runId: string;
  /** The attempt that said it. */
  readonly attempt: number;
  /** Grows by one with each event of the run, over all attempts; the first is 1. */
  readonly offset: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly event: RunEvent;
}

/** The events that end a stream. */
export function isFinal(event: RunEvent): boolean {
  return event.type === "done" || event.type === "error";
}
