import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { claimedRun, record } from "../../test/contract/run-steps.ts";
import { storeDeps } from "../../test/contract/store-under-test.ts";
import { startPostgres } from "../../test/fakes/embedded-postgres.ts";
import type { TestPostgres } from "../../test/fakes/embedded-postgres.ts";
import { sampleCreate } from "../../test/fakes/sample-run.ts";
import type { Store } from "../core/ports/index.ts";
import { openPostgres } from "./dialects/postgres.ts";
import { createPostgresStore } from "./postgres-store.ts";
import type { PostgresStoreOptions } from "./postgres-store.ts";

/** This file kills its server, so it always has one of its own. */
const ownServer = process.env["TEST_POSTGRES_URL"] === undefined;

describe("the PostgreSQL store", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const make = (url: string, options: Partial<PostgresStoreOptions> = {}): Store =>
    createPostgresStore({ ...storeDeps, url, connectTimeoutMs: 2_000, ...options });

  async function opened(url: string, options: Partial<PostgresStoreOptions> = {}): Promise<Store> {
    const store = make(url, options);
    await store.start(AbortSignal.timeout(20_000));
    return store;
  }

  /** Plain SQL beside the store. */
  async function query(url: string, ...statements: readonly string[]): Promise<readonly unknown[]> {
    const onIdleError = (): void => {};
    const pool = openPostgres({
      url,
      connectionsMax: 1,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 5_000,
      onIdleError,
    });
    let rows: readonly unknown[] = [];
    for (const sql of statements) rows = (await pool.execute({ sql, parameters: [] })).rows;
    await pool.close();
    return rows;
  }

  it("is migrated once by nodes that start together, holding no lock afterwards", async () => {
    const url = await server.createDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => opened(url)));
    expect(new Set(stores.map((store) => store.status().storeId)).size).toBe(1);
    expect(await query(url, "select count(*) as locks from pg_locks where locktype = 'advisory'")).toEqual([
      { locks: 0 },
    ]);
    await Promise.all(stores.map((store) => store.stop()));
  });

  it("leaves nothing on the server's side between transactions, for a pooler in transaction mode", async () => {
    const url = await server.createDatabase();
    const before = "select name, setting from pg_settings where source = 'session' order by name";
    const store = await opened(url, { connectionsMax: 1 });
    await claimedRun(store.runs);
    const own = openPostgres({
      url,
      connectionsMax: 1,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 5_000,
      onIdleError: () => {},
    });
    await own.transaction((execute) => execute({ sql: "select 1", parameters: [] }));
    expect((await own.execute({ sql: before, parameters: [] })).rows).toEqual([]);
    expect((await own.execute({ sql: "select name from pg_prepared_statements", parameters: [] })).rows).toEqual([]);
    await own.close();
    await store.stop();
  });

  it("waits for the disk though the database's default does not", async () => {
    const url = await server.createDatabase();
    const database = new URL(url).pathname.slice(1);
    await query(url, `alter database ${database} set synchronous_commit to off`);
    const store = await opened(url);
    await query(
      url,
      "create table seen (commits text)",
      "create function see() returns trigger language plpgsql as " +
        "$$ begin insert into seen values (current_setting('synchronous_commit')); return new; end $$",
      "create trigger see before insert on agents for each row execute function see()",
    );
    await store.agents.put({ name: "a", document: {}, updatedAt: 1 });
    expect(await query(url, "select commits from seen")).toEqual([{ commits: "on" }]);
    await store.stop();
  });

  it("refuses a database that a newer release has migrated", async () => {
    const url = await server.createDatabase();
    await (await opened(url)).stop();
    await query(url, "insert into astromesh_migrations (name, timestamp) values ('9999_future', '2999-01-01')");
    const store = make(url);
    await expect(store.start(AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: false,
      message: expect.stringContaining("9999_future"),
    });
    await store.stop();
  });

  it("refuses a URL that is none", async () => {
    const store = createPostgresStore({ ...storeDeps, url: "localhost:5432/db" });
    await expect(store.start(AbortSignal.timeout(20_000))).rejects.toMatchObject({ code: "config_invalid" });
    expect(store.status()).toMatchObject({ kind: "postgres", ready: false });
    await store.stop();
  });

  it("says in time that a statement hangs, and works again", async () => {
    const url = await server.createDatabase();
    const store = await opened(url, { statementTimeoutMs: 500 });
    const create = sampleCreate();
    await store.runs.create(create);
    const blocker = openPostgres({
      url,
      connectionsMax: 1,
      connectTimeoutMs: 2_000,
      statementTimeoutMs: 20_000,
      onIdleError: () => {},
    });
    await blocker.transaction(async (execute) => {
      await execute({ sql: "lock table runs in access exclusive mode", parameters: [] });
      await expect(store.runs.get(create.run.runId)).rejects.toMatchObject({ code: "store_unavailable" });
      await expect(store.runs.requestCancel(create.run.runId, 1)).rejects.toMatchObject({ code: "store_unavailable" });
    });
    await blocker.close();
    await vi.waitUntil(() => store.status().ready, { timeout: 20_000 });
    expect(await store.runs.get(create.run.runId)).toEqual(create.run);
    await store.stop();
  });

  it.runIf(ownServer)(
    "keeps trying for a database that is not there yet, until it is or it is told to stop",
    async () => {
      const url = await server.createDatabase();
      await server.kill();
      const giveUp = new AbortController();
      const [first, second] = [make(url), make(url)];
      const givenUp = expect(first.start(giveUp.signal)).rejects.toThrow("enough");
      const started = second.start(AbortSignal.timeout(25_000));
      await vi.waitUntil(() => first.status().reason?.includes("ECONNREFUSED") ?? false, { timeout: 20_000 });
      expect(first.status()).toMatchObject({ ready: false, storeId: null });
      giveUp.abort(new Error("enough"));
      await givenUp;
      await server.restart();
      await started;
      expect(second.status()).toMatchObject({ ready: true, reason: null });
      await Promise.all([first.stop(), second.stop()]);
    },
  );

  it.runIf(ownServer)("says that it lost a killed database, keeps what was acknowledged and works again", async () => {
    const store = await opened(await server.createDatabase());
    const { runs } = store;
    const guard = await claimedRun(runs);
    let acknowledged = 0;
    const appendUntilLost = async (): Promise<never> => {
      for (;;) {
        await runs.append(guard, { records: [record(String(acknowledged))] });
        acknowledged += 1;
        if (acknowledged === 20) void server.kill();
      }
    };
    await expect(appendUntilLost()).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    expect(store.status()).toMatchObject({ ready: false, reason: expect.any(String) });
    await expect(runs.get(guard.runId)).rejects.toMatchObject({ code: "store_unavailable" });

    await server.restart();
    await vi.waitUntil(() => store.status().ready, { timeout: 25_000 });
    const journal = await runs.journal(guard.runId);
    expect(journal.length).toBeGreaterThanOrEqual(acknowledged);
    expect(await runs.append(guard, { records: [record("after")] })).toBe(journal.length + 1);
    await store.stop();
    await expect(runs.get(guard.runId)).rejects.toMatchObject({ code: "store_unavailable" });
  });
});
