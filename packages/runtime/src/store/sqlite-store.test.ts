import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Worker } from "node:worker_threads";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { claimedRun, ended, NOW, record } from "../../test/contract/run-steps.ts";
import { storeDeps } from "../../test/contract/store-under-test.ts";
import { sampleCreate } from "../../test/fakes/sample-run.ts";
import type { Store } from "../core/ports/index.ts";
import { openSqlite } from "./dialects/sqlite.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { SqliteStoreOptions } from "./sqlite-store.ts";
import { spawnWriter } from "./writer-link.ts";

const retention = { runsMs: 1, runsCount: 0, streamsMs: 1 };

describe("the SQLite store", () => {
  let folder: string;
  let path: string;
  let stores: Store[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "astromesh-sqlite-"));
    path = join(folder, "data", "store.db");
    stores = [];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.stop()));
    rmSync(folder, { recursive: true });
  });

  function make(options: Partial<SqliteStoreOptions> = {}): Store {
    const store = createSqliteStore({ ...storeDeps, path, ...options });
    stores.push(store);
    return store;
  }

  async function opened(options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
    const store = make(options);
    await store.start(AbortSignal.timeout(20_000));
    return store;
  }

  /** A second process that runs a script and says what it printed. */
  function child(script: string) {
    const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
    const code = script
      .replaceAll(/@(\S+\.ts)/g, (_, file: string) => url(file))
      .replaceAll("PATH", JSON.stringify(path));
    const args = ["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval", code];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    const gone = new Promise((resolve) => child.once("exit", resolve));
    return { lines, gone, kill: () => child.kill("SIGKILL") };
  }

  it("has everything that was acknowledged, after kill -9", async () => {
    const writer = child(`
      import { createSqliteStore } from @./sqlite-store.ts;
      import { storeDeps } from @../../test/contract/store-under-test.ts;
      import { claimedRun, record } from @../../test/contract/run-steps.ts;
      const store = createSqliteStore({ ...storeDeps, path: PATH });
      await store.start(AbortSignal.timeout(20000));
      const guard = await claimedRun(store.runs);
      for (let position = 0; ; position += 1) {
        const head = await store.runs.append(guard, { records: [record(String(position))] });
        console.log(guard.runId, head);
      }
    `);
    await vi.waitUntil(() => writer.lines.length > 50, { timeout: 20_000 });
    writer.kill();
    await writer.gone;
    const [runId = "", head] = (writer.lines.at(-1) ?? "").split(" ");
    const { runs } = await opened();
    const journal = await runs.journal(runId);
    expect(journal.length).toBeGreaterThanOrEqual(Number(head));
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1));
    expect((await runs.get(runId))?.headSeq).toBe(journal.length);
  });

  it("keeps the good writes of a group in which others fail", async () => {
    const { runs } = await opened();
    const guards = await Promise.all(Array.from({ length: 6 }, () => claimedRun(runs)));
    await Promise.all(guards.map((guard) => runs.append(guard, { records: [record("0")] })));
    const uncopyable = (() => 1) as never;
    const results = await Promise.allSettled(
      guards.map((guard, index) => {
        if (index === 1) return runs.append({ ...guard, epoch: 9 }, { records: [record("1")] });
        if (index === 2) return runs.append(guard, { records: [record("1"), record("0")], patch: { model: "m" } });
        if (index === 3) return runs.append(guard, { records: [record("1", { payload: uncopyable })] });
        return runs.append(guard, { records: [record("1")] });
      }),
    );
    expect(results.map((result) => (result.status === "fulfilled" ? result.value : result.reason.code))).toEqual([
      2,
      "stale_epoch",
      "journal_mismatch",
      "internal",
      2,
      2,
    ]);
    const heads = await Promise.all(guards.map(async ({ runId }) => (await runs.journal(runId)).length));
    expect(heads).toEqual([2, 1, 1, 1, 2, 2]);
  });

  it("waits for another process's lock without holding up the main thread, then says that it cannot write", async () => {
    const store = await opened({ busyTimeoutMs: 1_000 });
    const guard = await claimedRun(store.runs);
    const locker = child(`
      import { openSqlite } from @./dialects/sqlite.ts;
      const other = openSqlite({ path: PATH, access: "writer", busyTimeoutMs: 1000, sizeBytesMax: null });
      other.run("begin immediate");
      console.log("locked");
      setInterval(() => {}, 1000);
    `);
    await vi.waitUntil(() => locker.lines.length > 0, { timeout: 20_000 });
    let settled = false;
    const append = store.runs.append(guard, { records: [record("0")] }).finally(() => (settled = true));
    const refused = expect(append).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    // Reads and timers go on while the write waits.
    expect(await store.runs.get(guard.runId)).not.toBeNull();
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    await refused;
    expect(store.status()).toMatchObject({ ready: false, reason: expect.stringContaining("locked") });

    locker.kill();
    await locker.gone;
    await vi.waitUntil(() => store.status().ready, { timeout: 20_000 });
    expect(await store.runs.append(guard, { records: [record("0")] })).toBe(1);
  });

  it("says that it is full, loses nothing, and goes on when there is room", async () => {
    const store = await opened({ sizeBytesMax: 2 * 1024 * 1024 });
    const { runs } = store;
    const big = "x".repeat(200_000);
    const fill = async (): Promise<never> => {
      for (;;) {
        const guard = await claimedRun(runs);
        await runs.append(guard, { records: [record("0", { payload: big })] });
        await runs.append(guard, { patch: ended });
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "store_full", retryable: true });
    const { completed } = await runs.count();
    expect(completed).toBeGreaterThan(2);
    for (const run of await runs.list({ limit: 99, status: "completed" })) {
      expect((await runs.journal(run.runId)).map(({ payload }) => payload)).toEqual([big]);
    }
    expect(await runs.sweep(retention, NOW + 1)).toMatchObject({ runs: completed });
    await vi.waitUntil(() => store.status().ready, { timeout: 20_000 });
    const guard = await claimedRun(runs);
    expect(await runs.append(guard, { records: [record("0", { payload: big })] })).toBe(1);
  });

  it("fails what was under way when its writer's thread dies, and starts another", async () => {
    const threads: Worker[] = [];
    const store = await opened({
      spawnWriter: (data) => {
        const worker = spawnWriter(data);
        threads.push(worker);
        return worker;
      },
    });
    const guard = await claimedRun(store.runs);
    const appends = ["0", "1", "2"].map((position) => store.runs.append(guard, { records: [record(position)] }));
    void threads[0]?.terminate();
    for (const result of await Promise.allSettled(appends)) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "store_unavailable" });
    }
    await vi.waitUntil(() => threads.length === 2 && store.status().ready, { timeout: 20_000 });
    const head = (await store.runs.get(guard.runId))?.headSeq ?? 0;
    expect(await store.runs.append(guard, { records: [record("next")] })).toBe(head + 1);
    expect(threads).toHaveLength(2);
  });

  it("refuses a file that a newer release has migrated, and leaves it as it is", async () => {
    const first = await opened();
    await first.stop();
    const file = openSqlite({ path, access: "writer", busyTimeoutMs: 100, sizeBytesMax: null });
    file.run("insert into astromesh_migrations (name, timestamp) values ('9999_future', '2999-01-01')");
    file.close();
    await expect(make().start(AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: false,
      message: expect.stringContaining("9999_future"),
    });
  });

  it("refuses a file that is no database", async () => {
    path = join(folder, "notes.txt");
    writeFileSync(path, "These are notes.\n".repeat(100));
    const store = make();
    await expect(store.start(AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: "store_unavailable",
      retryable: false,
    });
    expect(store.status()).toMatchObject({ ready: false, reason: expect.stringContaining("not a database") });
  });

  it("keeps trying while the file cannot be opened, until it is told to stop", async () => {
    path = join(folder, "file", "store.db");
    writeFileSync(join(folder, "file"), "in the way");
    const giveUp = new AbortController();
    const store = make();
    const started = store.start(giveUp.signal);
    const refused = expect(started).rejects.toThrow("enough");
    await vi.waitUntil(() => store.status().reason?.includes("EEXIST") ?? false, { timeout: 20_000 });
    giveUp.abort(new Error("enough"));
    await refused;
    await expect(store.runs.get("run_1")).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("keeps its id, and shares the file with a second store", async () => {
    const [one, two] = await Promise.all([opened(), opened()]);
    expect(one.status().storeId).toBe(two.status().storeId);
    const create = sampleCreate();
    await one.runs.create(create);
    expect(await two.runs.get(create.run.runId)).toEqual(create.run);
    await one.stop();
    await two.stop();
    expect((await opened()).status().storeId).toBe(one.status().storeId);
  });

  it("can be stopped while it starts", async () => {
    const store = make();
    const refused = expect(store.start(AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: "store_unavailable",
    });
    await store.stop();
    await refused;
    expect(store.status()).toMatchObject({ ready: false, reason: "The store was stopped." });
    await expect(store.start(AbortSignal.timeout(20_000))).rejects.toMatchObject({ code: "store_unavailable" });
  });

  it("finishes the writes under way when it stops, and takes none afterwards", async () => {
    const store = await opened();
    const creates = Array.from({ length: 50 }, () => sampleCreate());
    const made = Promise.all(creates.map((create) => store.runs.create(create)));
    await Promise.all([store.stop(), store.stop()]);
    expect(await made).toEqual(creates.map(() => ({ kind: "created" })));
    await expect(store.runs.create(sampleCreate())).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(store.runs.get("run_1")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(store.status().ready).toBe(false);
    const again = await opened();
    expect((await again.runs.count()).queued).toBe(50);
  });
});
