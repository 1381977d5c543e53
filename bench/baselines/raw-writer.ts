/**
 * The least that a durable journal can do: a thread that appends rows to SQLite (WAL, synchronous=FULL) and commits
 * all that wait together. What our journal adds is measured against it.
 */
import { Worker } from "node:worker_threads";

/** A raw writer's thread. */
export interface RawWriter {
  /** Resolves when the row is on disk. */
  append(row: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the thread on a new database file. */
export async function startRawWriter(path: string): Promise<RawWriter> {
  const worker = new Worker(THREAD, { eval: true, workerData: { path } });
  await new Promise((ready) => worker.once("message", ready));
  const waiting: (() => void)[] = [];
  let outbox: string[] = [];
  worker.on("message", (count: number) => {
    for (const done of waiting.splice(0, count)) done();
  });
  const flush = (): void => {
    const rows = outbox;
    outbox = [];
    worker.postMessage(rows);
  };
  return {
    append: (row) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        outbox.push(row);
        if (outbox.length === 1) process.nextTick(flush);
      }),
    stop: async () => {
      await worker.terminate();
    },
  };
}

/** As text, because a thread does not inherit the TypeScript loader of the bench. */
const THREAD = `
const { parentPort, receiveMessageOnPort, workerData } = require("node:worker_threads");
const Database = require("better-sqlite3");
const db = new Database(workerData.path);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("create table journal (seq integer primary key, body text not null)");
const insert = db.prepare("insert into journal (body) values (?)");
const commit = db.transaction((rows) => { for (const row of rows) insert.run(row); });
parentPort.on("message", (first) => {
  const rows = first;
  for (let next; (next = receiveMessageOnPort(parentPort)) !== undefined; ) rows.push(...next.message);
  commit(rows);
  parentPort.postMessage(rows.length);
});
parentPort.postMessage("ready");
`;
