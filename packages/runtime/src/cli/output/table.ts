import { stripVTControlCharacters } from "node:util";

import Table from "cli-table3";

import type { CliIo } from "../io.ts";

/** Rows under a header. */
export interface TableContent {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Printed instead of an empty table. */
  readonly empty: string;
}

/** A list of names and values under a title, as `mesh status` prints it. */
export interface CardContent {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}

const PLAIN = { head: [], border: [], compact: true };

/** A table: boxes on a terminal, aligned columns otherwise. */
export function renderTable(io: CliIo, content: TableContent): string {
  if (content.rows.length === 0) return `${content.empty}\n`;
  if (!io.isTty) return aligned([content.head.map((cell) => cell.toUpperCase()), ...content.rows]);
  const table = new Table({ head: [...content.head], style: PLAIN });
  table.push(...content.rows.map((row) => [...row]));
  return `${table.toString()}\n`;
}

/** A card: a titled box of names and values on a terminal, aligned lines otherwise. */
export function renderCard(io: CliIo, content: CardContent): string {
  if (!io.isTty) return aligned(content.rows);
  // A head of one cell over both columns is the one way to a rule below the title and none between the rows; the
  // library takes it, though its types speak of texts only.
  const title = [{ colSpan: 2, content: content.title, hAlign: "center" }] as unknown as string[];
  const table = new Table({ head: title, style: PLAIN });
  table.push(...content.rows.map((row) => [...row]));
  return `${table.toString()}\n`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, stripVTControlCharacters(cell).length);
    }
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - stripVTControlCharacters(cell).length))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
