/** One measured figure with what it is held against. */
export interface Figure {
  readonly section: string;
  readonly what: string;
  readonly ours: string;
  /** The raw baseline of the same run; empty where there is none. */
  readonly raw: string;
  /** The goal in words, such as `>= 25 % of raw`; empty where there is none. */
  readonly goal: string;
  /** Null where there is no goal. */
  readonly met: boolean | null;
}

/** Prints figures as a table for people. */
export function printFigures(figures: readonly Figure[]): void {
  const rows = [
    ["section", "what", "ours", "raw baseline", "goal", ""],
    ...figures.map((figure) => [
      figure.section,
      figure.what,
      figure.ours,
      figure.raw,
      figure.goal,
      figure.met === null ? "" : figure.met ? "met" : "MISSED",
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

/** A number with as many digits as it deserves. */
export function digits(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString("en-US");
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(2);
}
