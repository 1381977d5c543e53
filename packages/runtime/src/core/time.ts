/** Where a part reads the time and waits. Injected, so that tests and the simulator own time. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. For display and for rows that outlive the process. */
  now(): number;
  /** Monotonic clock in milliseconds from an arbitrary start. For every measurement and deadline. */
  monotonic(): number;
  /**
   * Resolves after `delayMs`; rejects with the signal's reason when it aborts first.
   * The timer never keeps the process alive by itself.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration as people write it: `500ms`, `30s`, `5m`, `1h`, `7d`; a bare number counts seconds, as in
 * the guides' `heartbeat_interval: 5`. Returns milliseconds, or null when the text is no duration.
 */
export function parseDuration(text: string | number): number | null {
  if (typeof text === "number") return Number.isFinite(text) && text >= 0 ? text * 1_000 : null;
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*$/.exec(text);
  if (match === null) return null;
  const unit = UNIT_MS[match[2] ?? "s"] ?? 1_000;
  return Math.round(Number(match[1]) * unit);
}

/** Writes a duration for people: `850 ms`, `12.4 s`, `3 m 20 s`, `2 h 5 m`, `4 d 3 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1_000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
