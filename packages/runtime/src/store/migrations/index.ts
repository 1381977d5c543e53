import type { Migration } from "kysely";

import type { DialectName } from "../statement.ts";
import { first } from "./m0001-first.ts";

/**
 * Every change of the schema, by name; they run in the order of their names and are never edited once released.
 * Expand first, contract a release later: the release before must work on the schema of the one after it.
 */
export function migrations(dialect: DialectName): Record<string, Migration> {
  return {
    "0001_first": first(dialect),
  };
}
