import { AsyncLocalStorage } from "node:async_hooks";

/** What the current work belongs to: log lines and outgoing calls say it. */
export interface WorkContext {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly runId?: string;
}

const storage = new AsyncLocalStorage<WorkContext>();

/** Runs `work`, and all it awaits, under these ids; ids that are not given stay those of the outer work. */
export function withTraceContext<T>(context: WorkContext, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, work);
}

/** The ids of the current work; empty outside of any. */
export function currentTraceContext(): WorkContext {
  return storage.getStore() ?? {};
}
