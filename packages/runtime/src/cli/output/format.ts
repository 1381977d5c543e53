import type { Run } from "@astromesh/client";

import { formatDuration } from "../../core/index.ts";
import type { Style } from "./style.ts";

/** `3 m ago`, `just now`; the time itself when it is not in the past. */
export function ago(isoTime: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(isoTime);
  if (Number.isNaN(ageMs) || ageMs < 0) return isoTime;
  return ageMs < 1_000 ? "just now" : `${formatDuration(ageMs)} ago`;
}

/** Dollars, with as many digits as small sums need; `-` when the price is not known. */
export function money(costUsd: number | null | undefined): string {
  if (costUsd === null || costUsd === undefined) return "-";
  return costUsd >= 0.01 || costUsd === 0 ? `$${costUsd.toFixed(2)}` : `$${costUsd.toPrecision(2)}`;
}

/** A run's status in its colour. */
export function runStatusText(style: Style, status: Run["status"]): string {
  switch (status) {
    case "completed":
      return style.good(status);
    case "failed":
      return style.bad(status);
    case "cancelled":
    case "waiting":
      return style.warn(status);
    case "queued":
    case "running":
      return status;
  }
}

/** A text on one line, cut to a width. */
export function oneLine(text: string, width: number): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  return flat.length > width ? `${flat.slice(0, width - 1)}…` : flat;
}
