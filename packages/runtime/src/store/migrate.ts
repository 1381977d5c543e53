import { Migrator } from "kysely";
import type { Dialect, DialectAdapter, Kysely, Migration } from "kysely";

import { AstromeshError } from "../core/index.ts";
import { migrations } from "./migrations/index.ts";
import type { Schema } from "./schema.ts";
import type { DialectName } from "./statement.ts";

const MIGRATION_TABLE = "astromesh_migrations";

/**
 * Kysely's own locks are of no use here: SQLite's does nothing, and PostgreSQL's belongs to a session, which a pooler
 * in transaction mode does not give us. The caller holds a lock and an open transaction instead.
 */
const CALLER_LOCKS: DialectAdapter = {
  supportsCreateIfNotExists: true,
  supportsTransactionalDdl: false,
  supportsReturning: true,
  acquireMigrationLock: async () => {},
  releaseMigrationLock: async () => {},
};

/** A dialect for migrations inside a transaction that the caller holds. */
export function insideTransaction(dialect: Dialect): Dialect {
  return {
    createAdapter: () => CALLER_LOCKS,
    createDriver: () => dialect.createDriver(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

/**
 * Brings the schema up to date and returns the store's id, made at the first start.
 *
 * @param db a database whose caller holds an exclusive lock and an open transaction (see `insideTransaction`).
 * @param newStoreId the id of a database that has none yet.
 * @throws `store_unavailable`, not retryable, when a newer release has migrated the database.
 */
export async function migrate(db: Kysely<Schema>, dialect: DialectName, newStoreId: string): Promise<string> {
  const known = migrations(dialect);
  const done = await executed(db);
  refuseNewer(done, Object.keys(known));
  if (done.length < Object.keys(known).length) await migrateToLatest(db, known);
  await db
    .insertInto("meta")
    .values({ key: "store_id", value: newStoreId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db.selectFrom("meta").select("value").where("key", "=", "store_id").executeTakeFirstOrThrow();
  return row.value;
}

async function migrateToLatest(db: Kysely<Schema>, known: Record<string, Migration>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => known },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: `${MIGRATION_TABLE}_lock`,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** The names of the migrations that the database has seen. */
async function executed(db: Kysely<Schema>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return [];
  const rows = await (db as unknown as Kysely<Record<string, { name: string }>>)
    .selectFrom(MIGRATION_TABLE)
    .select("name")
    .execute();
  return rows.map((row) => row.name);
}

function refuseNewer(done: readonly string[], known: readonly string[]): void {
  const newer = done.filter((name) => !known.includes(name));
  if (newer.length === 0) return;
  throw new AstromeshError(
    "store_unavailable",
    `The database was changed by a newer release of Astromesh (migration ${newer.toSorted().join(", ")}). ` +
      "Start that release, or restore a backup from before the upgrade.",
    { retryable: false, details: { migrations: newer } },
  );
}
