import pc from "picocolors";

import type { CliIo } from "../io.ts";

/** Colours of meaning. Without a terminal, or with NO_COLOR set, texts stay as they are. */
export interface Style {
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

/** The style that fits where the output goes (https://no-color.org). */
export function styleFor(io: CliIo): Style {
  const noColor = (io.env["NO_COLOR"] ?? "") !== "";
  const colors = pc.createColors(io.isTty && !noColor);
  return { good: colors.green, warn: colors.yellow, bad: colors.red, dim: colors.dim, strong: colors.bold };
}
