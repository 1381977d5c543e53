import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Compilable } from "kysely";

import type { Schema } from "./schema.ts";

/** The databases that there is a dialect for. */
export type DialectName = "sqlite" | "postgres";

/** Builds SQL and runs none. */
export type Builder = Kysely<Schema>;

/** A builder of statements in a dialect. */
export function createBuilder(dialect: DialectName): Builder {
  return new Kysely<Schema>({
    dialect:
      dialect === "sqlite"
        ? {
            createAdapter: () => new SqliteAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  });
}

declare const ROW: unique symbol;

/** SQL with its parameters. `Row` is what a row of its result looks like. */
export interface Statement<Row> {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly [ROW]?: Row;
}

/** What a statement did. */
export interface Outcome {
  readonly rows: readonly unknown[];
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
}

/**
 * A piece of database work, written once for both databases: a generator that yields statements and gets their
 * outcomes. SQLite runs it without ever waiting (`runSync`), PostgreSQL waits between the statements (`runAsync`).
 */
export type Unit<Result> = Generator<Statement<unknown>, Result, Outcome>;

/** Runs a unit on a database that answers at once. */
export function runSync<Result>(unit: Unit<Result>, execute: (statement: Statement<unknown>) => Outcome): Result {
  let step = unit.next();
  while (step.done !== true) step = unit.next(execute(step.value));
  return step.value;
}

/** Runs a unit on a database across a wire. */
export async function runAsync<Result>(
  unit: Unit<Result>,
  execute: (statement: Statement<unknown>) => Promise<Outcome>,
): Promise<Result> {
  let step = unit.next();
  while (step.done !== true) step = unit.next(await execute(step.value));
  return step.value;
}

/** Inside a unit: the rows of a statement. */
export function* all<Row>(statement: Statement<Row>): Unit<readonly Row[]> {
  const outcome = yield statement;
  return outcome.rows as readonly Row[];
}

/** Inside a unit: the first row of a statement. */
export function* first<Row>(statement: Statement<Row>): Unit<Row | undefined> {
  const outcome = yield statement;
  return outcome.rows[0] as Row | undefined;
}

/** Inside a unit: how many rows a statement changed. */
export function* changes(statement: Statement<unknown>): Unit<number> {
  const outcome = yield statement;
  return outcome.changes;
}

const SLOT = Symbol("slot");

interface Slot {
  readonly [SLOT]: string;
}

function isSlot(value: unknown): value is Slot {
  return typeof value === "object" && value !== null && SLOT in value;
}

/** Places in a prepared statement that get their values later. To the builder they look like the values themselves. */
export function slots<Values extends object>(...names: readonly (keyof Values & string)[]): Values {
  return Object.fromEntries(names.map((name): [string, Slot] => [name, { [SLOT]: name }])) as Values;
}

/**
 * Compiles a statement once. What comes back only puts values into its slots: building the SQL of an append anew each
 * time would cost more than SQLite takes to run it.
 */
export function prepare<Values extends object, Row>(
  _places: Values,
  query: Compilable<Row>,
): (values: Values) => Statement<Row> {
  const { sql, parameters } = query.compile();
  const names = parameters.map((parameter) => (isSlot(parameter) ? parameter[SLOT] : null));
  return (values) => ({
    sql,
    parameters: names.map((name, index) =>
      name === null ? parameters[index] : (values as Readonly<Record<string, unknown>>)[name],
    ),
  });
}

/** Compiles a statement that is used once, such as one with a list in it. */
export function once<Row>(query: Compilable<Row>): Statement<Row> {
  const { sql, parameters } = query.compile();
  return { sql, parameters };
}

/** Statements that differ by a set of columns, each compiled at its first use. */
export function byColumns<Prepared>(build: (columns: readonly string[]) => Prepared) {
  const known = new Map<string, Prepared>();
  return (columns: readonly string[]): Prepared => {
    const name = columns.join(",");
    let prepared = known.get(name);
    if (prepared === undefined) {
      prepared = build(columns);
      known.set(name, prepared);
    }
    return prepared;
  };
}
