import type { JsonObject } from "../core/index.ts";
import type { RunPlaces } from "../core/ports/index.ts";
import { createRecent } from "./recent.ts";
import type { Recent } from "./recent.ts";

/** Where something was put. */
export interface Placement {
  /** A peer's key, or `SELF`. */
  readonly key: string;
  readonly name: string;
  /** The store that holds it; null when it is not known. */
  readonly storeId: string | null;
}

/** A choice that routing made for a run, for its timeline. */
export interface Explained {
  readonly at: number;
  readonly runId: string;
  readonly spanId: string;
  readonly explain: JsonObject;
}

/** What this node remembers of where things are. Forgetting costs a question to the peers, nothing else. */
export interface Placements extends RunPlaces {
  /** Runs by id. */
  readonly runs: Recent<Placement>;
  /** Sessions and idempotency keys; see `sessionKey`. */
  readonly homes: Recent<Placement>;
  /** The last choice for each trace. */
  readonly picks: Recent<Explained>;
  /** A model of that node answered the run. */
  answeredBy(runId: string, nodeName: string): void;
}

const MAX_RUNS = 50_000;

/** Remembers nothing yet. */
export function createPlacements(): Placements {
  const runs = createRecent<Placement>(MAX_RUNS);
  const inference = createRecent<string>(MAX_RUNS);
  return {
    runs,
    homes: createRecent(MAX_RUNS),
    picks: createRecent(MAX_RUNS / 10),
    answeredBy: (runId, nodeName) => inference.set(runId, nodeName),
    routedTo: (runId) => runs.get(runId)?.name ?? null,
    inferenceNode: (runId) => inference.get(runId) ?? null,
  };
}

/** What a session is remembered under. */
export function sessionKey(agent: string, principalId: string, sessionId: string): string {
  return JSON.stringify(["session", agent, principalId, sessionId]);
}

/** What an idempotency key is remembered under: a repeat must find the run that the first request made. */
export function repeatKey(principalId: string, key: string): string {
  return JSON.stringify(["key", principalId, key]);
}
