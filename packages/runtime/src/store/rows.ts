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

/** The run that a row tells of. */
export function toRun(row: RunRow): Run {
  const plain = Object.fromEntries(
    PLAIN_FIELDS.map(([field, column]) => [field, (row as unknown as Record<string, unknown>)[column]]),
  ) as Pick<Run, keyof typeof RUN_COLUMNS>;
  return {
    ...plain,
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
  };
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
  return { ...toRunColumns(run), exclusive: exclusive ? 1 : 0, stream_head: 0 } as RunsTable;
}

type RunsValues = { -readonly [C in keyof RunsTable]?: RunsTable[C] };
type TextValues = { -readonly [C in keyof Omit<RunTextsTable, "run_id">]?: RunTextsTable[C] };

/** The columns of `runs` that some fields of a run set. */
export function toRunColumns(fields: Partial<Run>): RunsValues {
  const values: Record<string, unknown> = {};
  for (const [field, column] of PLAIN_FIELDS) {
    if (fields[field] !== undefined) values[column] = fields[field];
  }
  return {
    ...values,
    ...(fields.usage === undefined ? {} : usageColumns(fields.usage)),
    ...(fields.lostUsage === undefined ? {} : lostUsageColumns(fields.lostUsage)),
  };
}

function usageColumns(usage: Usage): RunsValues {
  return { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, cost_usd: usage.costUsd };
}

function lostUsageColumns(usage: Usage): RunsValues {
  return {
    lost_input_tokens: usage.inputTokens,
    lost_output_tokens: usage.outputTokens,
    lost_cost_usd: usage.costUsd,
  };
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
