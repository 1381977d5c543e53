/** Samples of one row of the goal table. */
export interface Figure {
  /** What was measured, such as `first suspect, silent crash`. */
  readonly goal: string;
  /** Such as `N=100`. */
  readonly at: string;
  readonly unit: "s" | "count" | "/s";
  readonly samples: number[];
  /** Upper bounds (for `/s` a lower one); null where there is none. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** The p-quantile of samples by the nearest rank; Infinity without samples. */
function quantile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.POSITIVE_INFINITY;
}

/** The figures of a run, by goal and place. */
export interface Figures {
  add(goal: string, at: string, bounds: Pick<Figure, "unit" | "p50" | "p99">, sample: number): void;
  all(): readonly Figure[];
}

/** No figures yet. */
export function createFigures(): Figures {
  const byName = new Map<string, Figure>();
  return {
    add: (goal, at, bounds, sample) => {
      const name = `${goal} ${at}`;
      let figure = byName.get(name);
      if (figure === undefined) {
        figure = { goal, at, ...bounds, samples: [] };
        byName.set(name, figure);
      }
      figure.samples.push(sample);
    },
    all: () => [...byName.values()],
  };
}

/** True when a figure keeps its bounds. */
export function isMet({ unit, samples, p50, p99 }: Figure): boolean {
  if (unit === "count") return samples.reduce((sum, sample) => sum + sample, 0) <= (p99 ?? 0);
  if (unit === "/s") return quantile(samples, 0.5) >= (p50 ?? 0);
  return (p50 === null || quantile(samples, 0.5) <= p50) && (p99 === null || quantile(samples, 0.99) <= p99);
}

/** The table that `npm run sim` prints. */
export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    isMet(figure) ? "met" : "missed",
    figure.goal,
    figure.at,
    measured(figure),
    wanted(figure),
    String(figure.samples.length),
  ]);
  const table = [["", "goal", "at", "p50/p99", "wanted", "samples"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function measured({ unit, samples }: Figure): string {
  if (unit === "count") return String(samples.reduce((sum, sample) => sum + sample, 0));
  if (unit === "/s") return `${Math.round(quantile(samples, 0.5) / 1_000)} k/s`;
  return `${seconds(quantile(samples, 0.5))}/${seconds(quantile(samples, 0.99))} s`;
}

function wanted({ unit, p50, p99 }: Figure): string {
  if (unit === "count") return `<= ${p99 ?? 0}`;
  if (unit === "/s") return `>= ${Math.round((p50 ?? 0) / 1_000)} k/s`;
  return `<= ${p50 === null ? "-" : seconds(p50)}/${p99 === null ? "-" : seconds(p99)} s`;
}

function seconds(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2).replace(/\.?0+$/, "") : "never";
}
