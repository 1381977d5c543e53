import type { LeaseNotice, LeaseOutcome } from "../../src/mesh/index.ts";

/** The shared database of a simulated mesh: one lease row, and a table that only the leader may write. */
export interface SimStore {
  readonly id: string;
  isUp: boolean;
  /** How long a statement takes, milliseconds. */
  delayMs: number;
  run(
    action: "acquire" | "release" | "look",
    candidate: string,
    boot: number,
    epoch: number,
    nowMs: number,
  ): LeaseOutcome;
  /** A write fenced by epoch: refused when a later epoch is in the row. Returns whether it was accepted. */
  write(writer: string, boot: number, epoch: number): boolean;
  epoch(): number;
  /** What broke the fencing; null when nothing did. I5. */
  fault(): string | null;
}

/** A store whose statements are atomic and go by its own clock. */
export function createStore(id: string, ttlMs: number): SimStore {
  let holder: string | null = null;
  let holderBoot = 0;
  let epoch = 0;
  let endsAt = Number.NEGATIVE_INFINITY;
  let fault: string | null = null;
  let lastWrite = { epoch: 0, writer: "" };

  const notice = (nowMs: number): LeaseNotice | null =>
    epoch === 0 ? null : { holder, boot: holderBoot, epoch, remainingMs: Math.max(0, endsAt - nowMs) };

  const store: SimStore = {
    id,
    isUp: true,
    delayMs: 2,
    run: (action, candidate, boot, ofEpoch, nowMs) => {
      const isMine = holder === candidate && holderBoot === boot;
      if (action === "look") return { kind: "denied", lease: notice(nowMs) };
      if (action === "release") {
        if (isMine && ofEpoch === epoch) [holder, endsAt] = [null, nowMs];
        return { kind: "released" };
      }
      if (holder !== null && !isMine && endsAt > nowMs) return { kind: "denied", lease: notice(nowMs) };
      if (!isMine || ofEpoch !== epoch) {
        epoch += 1;
        holder = candidate;
        holderBoot = boot;
      }
      endsAt = nowMs + ttlMs;
      return { kind: "granted", lease: notice(nowMs)! };
    },
    write: (writer, boot, by) => {
      if (by !== epoch) return false;
      const name = `${writer}@${boot}`;
      if (by < lastWrite.epoch) fault ??= `epoch ${by} written after ${lastWrite.epoch}`;
      if (by === lastWrite.epoch && lastWrite.writer !== name) fault ??= `epoch ${by}: ${lastWrite.writer} and ${name}`;
      lastWrite = { epoch: by, writer: name };
      return true;
    },
    epoch: () => epoch,
    fault: () => fault,
  };
  return store;
}
