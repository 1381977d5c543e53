/**
 * The writer's thread: the only place that writes to the SQLite file. A slow flush of the disk stalls this thread and
 * nothing else. While it waits, writes gather in its inbox; the next group takes them all.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";

import { toAstromeshError } from "../core/index.ts";
import { createWrites } from "./database.ts";
import type { WriteCall } from "./database.ts";
import { openSqlite } from "./dialects/sqlite.ts";
import type { SqliteConnection } from "./dialects/sqlite.ts";
import { createGroupWriter } from "./group-writer.ts";
import type { WriteResult } from "./group-writer.ts";
import { migrate } from "./migrate.ts";
import { createBuilder } from "./statement.ts";
import { post, toWire } from "./writer-protocol.ts";
import type { ResultOnWire, ToWriter, WriterData } from "./writer-protocol.ts";

/** Writes of one transaction at most, so that the first of them does not wait for all the others. */
const GROUP_MAX = 1_000;

async function openAndMigrate(data: WriterData): Promise<{ connection: SqliteConnection; storeId: string }> {
  const { path, busyTimeoutMs, sizeBytesMax, newStoreId } = data;
  const connection = openSqlite({ path, access: "writer", busyTimeoutMs, sizeBytesMax });
  try {
    connection.run("begin immediate");
    const storeId = await migrate(connection.migrations(), "sqlite", newStoreId);
    connection.run("commit");
    return { connection, storeId };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function serve(port: MessagePort, connection: SqliteConnection): void {
  const commit = createGroupWriter(connection, createWrites(createBuilder("sqlite")));

  const commitWaiting = (calls: WriteCall[]): void => {
    let stop = false;
    while (!stop && calls.length < GROUP_MAX) {
      const next = receiveMessageOnPort(port);
      if (next === undefined) break;
      const message = next.message as ToWriter;
      if (message.kind === "stop") stop = true;
      else calls.push(...message.calls);
    }
    const results = commit(calls).map(toResultOnWire);
    post(port, { kind: "results", results });
    if (stop) close(port, connection);
  };

  port.on("message", (message: ToWriter) => {
    if (message.kind === "stop") close(port, connection);
    else commitWaiting([...message.calls]);
  });
}

function close(port: MessagePort, connection: SqliteConnection): void {
  connection.close();
  port.close();
}

function toResultOnWire(result: WriteResult): ResultOnWire {
  return result.ok ? { value: result.value } : { error: toWire(result.error) };
}

async function main(port: MessagePort): Promise<void> {
  try {
    const { connection, storeId } = await openAndMigrate(workerData as WriterData);
    serve(port, connection);
    post(port, { kind: "ready", storeId });
  } catch (thrown) {
    post(port, { kind: "refused", error: toWire(toAstromeshError(thrown)) });
    port.close();
  }
}

if (parentPort !== null) await main(parentPort);
