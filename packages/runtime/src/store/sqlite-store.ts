import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { Clock, Ids } from "../core/index.ts";
import type { Logger, Store } from "../core/ports/index.ts";
import type { Database, ResultOf, WriteName, Writes } from "./database.ts";
import { openSqlite } from "./dialects/sqlite.ts";
import type { SqliteConnection } from "./dialects/sqlite.ts";
import { createKeeper } from "./keeper.ts";
import { createRepositories } from "./repositories.ts";
import { createBuilder, runSync } from "./statement.ts";
import { openWriter } from "./writer-link.ts";
import type { SpawnWriter, WriterLink } from "./writer-link.ts";

/** How the embedded store is made. */
export interface SqliteStoreOptions {
  /** The database file. It and its folder are made when they are not there. */
  readonly path: string;
  /** Reads the time and paces retries. */
  readonly clock: Clock;
  /** Makes the id of a new database. */
  readonly ids: Ids;
  /** Told of outages and recoveries. @default none */
  readonly logger?: Logger;
  /** How long a write waits for another process's lock before it is `store_unavailable`. Milliseconds. @default 5000 */
  readonly busyTimeoutMs?: number;
  /** The file may not grow beyond this; then writes are `store_full`. Bytes. @default none */
  readonly sizeBytesMax?: number;
  /** Starts the writer's thread; for tests that end it. @default the real one */
  readonly spawnWriter?: SpawnWriter;
}

/** A read may wait this long for a lock (only while another process recovers the log). It blocks the main loop. */
const READ_BUSY_TIMEOUT_MS = 50;

/**
 * The store of one node, in a SQLite file.
 *
 * All writes go to one thread, which commits those that wait together and flushes the disk once for them; the main
 * thread only reads. A thread that dies takes the writes under way with it (`store_unavailable`) and is started anew.
 */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  const { path, clock, ids, logger = null, busyTimeoutMs = 5_000, sizeBytesMax = null } = options;
  let writer: WriterLink | null = null;
  let reader: SqliteConnection | null = null;
  let stopped = false;

  const keeper = createKeeper({ kind: "sqlite", clock, logger, attempt });

  async function attempt(): Promise<string> {
    const link = writer ?? (await open());
    reader ??= openSqlite({ path, access: "reader", busyTimeoutMs: READ_BUSY_TIMEOUT_MS, sizeBytesMax: null });
    await link.write({ name: "probe", args: [clock.now()] });
    return link.storeId;
  }

  async function open(): Promise<WriterLink> {
    const data = { path, busyTimeoutMs, sizeBytesMax, newStoreId: ids.make("store") };
    const link = await openWriter(data, options.spawnWriter);
    if (stopped) {
      await link.stop();
      throw unavailable("The store was stopped.");
    }
    writer = link;
    void reopenWhenClosed(link);
    return link;
  }

  async function reopenWhenClosed(link: WriterLink): Promise<void> {
    await link.closed;
    if (writer === link) writer = null;
    if (!stopped) keeper.trouble(unavailable("The thread that writes to the database has ended."));
  }

  async function guarded<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (thrown) {
      const error = toAstromeshError(thrown);
      keeper.trouble(error);
      throw error;
    }
  }

  const database: Database = {
    read: (unit) =>
      guarded(() => {
        if (reader === null) throw unavailable("The database is not open.");
        return runSync(unit, reader.execute);
      }),
    write: <Name extends WriteName>(name: Name, ...args: Parameters<Writes[Name]>) =>
      guarded(async () => {
        if (writer === null) throw unavailable("The database is not open.");
        return (await writer.write({ name, args })) as ResultOf<Writes[Name]>;
      }),
  };

  return {
    ...createRepositories(createBuilder("sqlite"), database, clock),
    start: (signal) => keeper.start(signal),
    async stop() {
      stopped = true;
      await keeper.stop();
      reader?.close();
      reader = null;
      // Last, so that the thread is the one who copies the log into the file.
      await writer?.stop();
    },
    status: () => keeper.status(),
  };
}

function unavailable(message: string): AstromeshError {
  return new AstromeshError("store_unavailable", message);
}
