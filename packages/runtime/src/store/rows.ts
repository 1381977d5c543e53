import type { ErrorRecord, Json, Run, RunInput, Usage } from "../core/index.ts";
import type { RunPatch } from "../core/ports/index.ts";
import { RUN_COLUMNS } from "./schema.ts";
import type { RunsTable, RunTextsTable } from "./schema.ts";

/** A run's row joined with its texts: everything a Run is made of. */
export type RunRow = Omit<RunsTable, "exclusive" | "stream_head"> & Omit<RunTextsTable, "run_id">;

const PLAIN_FIELDS = Object.entries(RUN_COLUMNS) as [keyof typeof RUN_COLUMNS, keyof RunsTable][];

const USAGE_COLUMNS = [
  "input_tokens",
  "output_tokens",
  "cost_usd",
  "lost_input_tokens",
  "lost_output_tokens",
  "lost_cost_usd",
] as const satisfies readonly (keyof RunsTable)[];

/** What to select from `runs` and `run_texts` for a RunRow. */
export const RUN_ROW_COLUMNS = [
  ...PLAIN_FIELDS.map(([, column]) => `runs.${column}` as const),
  ...USAGE_COLUMNS.map((column) => `runs.${column}` as const),
  "run_texts.input",
  "run_texts.response",
  "run_texts.output",
  "run_texts.error",
] as const;

/**
 * The run that a row tells of. Filled up field by field, as are the columns below: a copy of an object that then gets
 * more members costs V8 microseconds for each of them.
 */
export function toRun(row: RunRow): Run {
  const run: Record<string, unknown> = {
    input: JSON.parse(row.input) as RunInput,
    response: row.response,
    output: row.output === null ? null : (JSON.parse(row.output) as Json),
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens, costUsd: row.cost_usd },
    lostUsage: {
      inputTokens: row.lost_input_tokens,
      outputTokens: row.lost_output_tokens,
      costUsd: row.lost_cost_usd,
    },
  } satisfies Omit<Run, keyof typeof RUN_COLUMNS>;
  for (const [field, column] of PLAIN_FIELDS) run[field] = (row as unknown as Record<string, unknown>)[column];
  return run as unknown as Run;
}

/** All columns of `runs`. */
export const RUNS_COLUMNS = [
  ...PLAIN_FIELDS.map(([, column]) => column),
  ...USAGE_COLUMNS,
  "exclusive",
  "stream_head",
] as const satisfies readonly (keyof RunsTable)[];

/** The row of a new run. */
export function toRunsRow(run: Run, exclusive: boolean): RunsTable {
  const values = toRunColumns(run);
  values.exclusive = exclusive ? 1 : 0;
  values.stream_head = 0;
  return values as RunsTable;
}

/** Some columns of `runs`, to be filled up. */
export type RunsValues = { -readonly [C in keyof RunsTable]?: RunsTable[C] };
type TextValues = { -readonly [C in keyof Omit<RunTextsTable, "run_id">]?: RunTextsTable[C] };

/** The columns of `runs` that some fields of a run set. */
export function toRunColumns(fields: Partial<Run>): RunsValues {
  const values: Record<string, unknown> = {};
  for (const [field, column] of PLAIN_FIELDS) {
    if (fields[field] !== undefined) values[column] = fields[field];
  }
  if (fields.usage !== undefined) setUsage(values, "", fields.usage);
  if (fields.lostUsage !== undefined) setUsage(values, "lost_", fields.lostUsage);
  return values;
}

function setUsage(values: Record<string, unknown>, prefix: "" | "lost_", usage: Usage): void {
  values[`${prefix}input_tokens`] = usage.inputTokens;
  values[`${prefix}output_tokens`] = usage.outputTokens;
  values[`${prefix}cost_usd`] = usage.costUsd;
}

/** The columns of `run_texts` that a patch sets. */
export function toTextColumns(patch: Pick<RunPatch, "response" | "output" | "error">): TextValues {
  return {
    ...(patch.response === undefined ? {} : { response: patch.response }),
    ...(patch.output === undefined ? {} : { output: jsonOrNull(patch.output) }),
    ...(patch.error === undefined ? {} : { error: jsonOrNull(patch.error) }),
  };
}

/** JSON text; null stays null, so that "none" is the same in every column. */
export function jsonOrNull(value: Json | ErrorRecord): string | null {
  return value === null ? null : JSON.stringify(value);
}
