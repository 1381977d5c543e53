import { Worker } from "node:worker_threads";

import { AstromeshError, toAstromeshError } from "../core/index.ts";
import type { WriteCall } from "./database.ts";
import { fromWire, post } from "./writer-protocol.ts";
import type { FromWriter, ResultOnWire, WriterData } from "./writer-protocol.ts";

/** A running writer's thread, seen from outside. */
export interface WriterLink {
  readonly storeId: string;
  /** Rejects with AstromeshError; with `store_unavailable` when the thread dies first. */
  write(call: WriteCall): Promise<unknown>;
  /** Resolves when the thread is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /** Lets the writes under way finish, then ends the thread. */
  stop(): Promise<void>;
}

/** Starts a thread: the real one, or a test's. */
export type SpawnWriter = (data: WriterData) => Worker;

interface Pending {
  readonly call: WriteCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AstromeshError) => void;
}

/**
 * Starts the writer's thread; resolves when the database is open and migrated.
 *
 * Writes of one tick travel as one message: they are sent once the tick's microtasks have run, so that the runs that
 * one answer woke are together in the next message.
 */
export async function openWriter(data: WriterData, spawn: SpawnWriter = spawnWriter): Promise<WriterLink> {
  const worker = spawn(data);
  /** Not sent yet, and sent without an answer yet. Answers come in the order of sending. */
  let outbox: Pending[] = [];
  const sent: Pending[] = [];
  let alive = true;
  let failure: unknown = null;

  const send = (batch: readonly Pending[]): void => {
    post(worker, { kind: "writes", calls: batch.map((pending) => pending.call) });
    sent.push(...batch);
  };
  const sendAlone = (pending: Pending): void => {
    try {
      send([pending]);
    } catch (error) {
      pending.reject(toAstromeshError(error));
    }
  };
  const flush = (): void => {
    const batch = outbox;
    outbox = [];
    if (batch.length === 0) return;
    try {
      send(batch);
    } catch {
      // One of them cannot be copied to another thread; it must not take the others with it.
      for (const pending of batch) sendAlone(pending);
    }
  };

  worker.on("error", (error) => (failure = error));
  const closed = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      alive = false;
      const error = writerGone(failure);
      for (const pending of [...sent.splice(0), ...outbox.splice(0)]) pending.reject(error);
      resolve();
    });
  });

  const storeId = await opened(worker, closed, () => failure);
  worker.on("message", (message: FromWriter) => {
    if (message.kind !== "results") return;
    const answered = sent.splice(0, message.results.length);
    for (const [index, pending] of answered.entries()) settle(pending, message.results[index]);
  });

  return {
    storeId,
    closed,
    write: (call) =>
      new Promise((resolve, reject) => {
        if (!alive) {
          reject(writerGone(failure));
          return;
        }
        outbox.push({ call, resolve, reject });
        if (outbox.length === 1) process.nextTick(flush);
      }),
    stop: async () => {
      flush();
      if (alive) post(worker, { kind: "stop" });
      await closed;
    },
  };
}

function settle(pending: Pending, result: ResultOnWire | undefined): void {
  if (result === undefined) pending.reject(writerGone(null));
  else if ("error" in result) pending.reject(fromWire(result.error));
  else pending.resolve(result.value);
}

async function opened(worker: Worker, closed: Promise<void>, failure: () => unknown): Promise<string> {
  const answer = await new Promise<FromWriter | null>((resolve) => {
    worker.once("message", resolve);
    void closed.then(() => resolve(null));
  });
  if (answer?.kind === "ready") return answer.storeId;
  throw answer?.kind === "refused" ? fromWire(answer.error) : writerGone(failure());
}

function writerGone(failure: unknown): AstromeshError {
  const message = "The thread that writes to the database has ended.";
  return new AstromeshError("store_unavailable", message, failure === null ? {} : { cause: failure });
}

/** The thread's file is TypeScript when we run from source (tests, development) and JavaScript when built. */
export function spawnWriter(data: WriterData): Worker {
  if (import.meta.url.endsWith(".js")) {
    return new Worker(new URL("./writer-thread.js", import.meta.url), { workerData: data });
  }
  // A thread does not inherit a TypeScript loader on Node 20, so it registers tsx (a dev dependency) by itself.
  const tsx = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const entry = JSON.stringify(new URL("./writer-thread.ts", import.meta.url).href);
  const code = `import(${tsx}).then((tsx) => { tsx.register(); return import(${entry}); });`;
  return new Worker(code, { eval: true, workerData: data });
}
