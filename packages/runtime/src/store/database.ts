import { createRunReads } from "./run-reads.ts";
import { createRunWrites } from "./run-writes.ts";
import { createSmallReads, createSmallWrites } from "./small-stores.ts";
import type { Builder, Unit } from "./statement.ts";
import { createSweeps } from "./sweep.ts";

/** Every write that there is. Writes have names because on SQLite they cross to the writer's thread. */
export function createWrites(db: Builder) {
  return { ...createRunWrites(db), ...createSweeps(db), ...createSmallWrites(db) };
}

/** Every read that there is. */
export function createReads(db: Builder) {
  return { ...createRunReads(db), ...createSmallReads(db) };
}

export type Writes = ReturnType<typeof createWrites>;
export type WriteName = keyof Writes;
/** What a write or a read comes to. */
export type ResultOf<Work> = Work extends (...args: never) => Unit<infer Result> ? Result : never;

/** A write on its way: plain data. */
export interface WriteCall {
  readonly name: WriteName;
  readonly args: readonly unknown[];
}

/** What the repositories stand on. Both reject with AstromeshError only. */
export interface Database {
  /** Runs a read. It sees every write that was acknowledged before it began. */
  read<Result>(unit: Unit<Result>): Promise<Result>;
  /** Runs a write as one transaction; resolves when it is on disk. */
  write<Name extends WriteName>(name: Name, ...args: Parameters<Writes[Name]>): Promise<ResultOf<Writes[Name]>>;
}

/** The unit of a write that came as data. */
export function toUnit(writes: Writes, call: WriteCall): Unit<unknown> {
  const work = writes[call.name] as (...args: readonly unknown[]) => Unit<unknown>;
  return work(...call.args);
}
