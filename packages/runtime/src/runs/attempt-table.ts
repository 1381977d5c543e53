import { toAstromeshError } from "../core/index.ts";
import type { AgentDefinition, Clock, Run } from "../core/index.ts";
import type { Logger, RunStore } from "../core/ports/index.ts";
import type { Attempt, AttemptEnd } from "./engines/journal/index.ts";
import type { Leases } from "./leases.ts";

/** How a run came to this node. */
export interface Arrival {
  /** It was created by this very claim. */
  readonly fresh: boolean;
  /** Its last attempt died. */
  readonly died: boolean;
}

/** What the table works with. */
export interface AttemptTableDeps {
  readonly store: Pick<RunStore, "claim" | "definition">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leases: Leases;
  readonly nodeId: string;
  readonly leaseMs: number;
  readonly maxConcurrent: number;
  readonly launch: (run: Run, definition: AgentDefinition, how: Arrival) => Attempt;
  /** The attempt is over and its slot is free. */
  readonly onEnded: (run: Run, end: AttemptEnd) => void;
}

/** The attempts of this node and their slots. */
export interface AttemptTable {
  /** Slots that are neither used nor reserved. */
  free(): number;
  active(): number;
  get(runId: string): Attempt | undefined;
  /** True while the run is at work here, or about to be. */
  has(runId: string): boolean;
  /** Takes a slot for a run about to be created; false when none is free. */
  reserve(): boolean;
  /** Gives a reserved slot back. */
  release(): void;
  /** Starts a run that was created in a reserved slot. @param askedAt when its lease began, monotonic. */
  adopt(run: Run, definition: AgentDefinition, askedAt: number): void;
  /** Claims a run and starts it; null when somebody else was faster or the store is in trouble. */
  claim(row: Run): Promise<Attempt | null>;
  /** Resolves when every attempt of now has ended. */
  allEnded(): Promise<void>;
  each(): Iterable<Attempt>;
}

/** Definitions kept in memory; they never change, so only the count is bounded. */
const MAX_DEFINITIONS = 256;

/** Creates the table of a node. */
export function createAttemptTable(deps: AttemptTableDeps): AttemptTable {
  const { store, clock, leases } = deps;
  const attempts = new Map<string, Attempt>();
  const claiming = new Set<string>();
  const definitionOf = createDefinitions(store);
  let reserved = 0;

  const free = (): number => deps.maxConcurrent - attempts.size - claiming.size - reserved;

  const launch = (run: Run, definition: AgentDefinition, how: Arrival): Attempt => {
    const attempt = deps.launch(run, definition, how);
    attempts.set(run.runId, attempt);
    void attempt.ended.then((end) => {
      attempts.delete(run.runId);
      leases.drop(run.runId);
      deps.onEnded(run, end);
    });
    return attempt;
  };

  const claim = async (row: Run): Promise<Attempt | null> => {
    const { runId } = row;
    claiming.add(runId);
    try {
      const askedAt = clock.monotonic();
      const run = await store.claim({
        runId,
        expectedEpoch: row.epoch,
        ownerNodeId: deps.nodeId,
        leaseMs: deps.leaseMs,
        now: clock.now(),
      });
      if (run === null) return null;
      leases.hold(runId, askedAt);
      const definition = await definitionOf(run);
      return launch(run, definition, { fresh: false, died: row.status === "running" });
    } catch (thrown) {
      leases.drop(runId);
      deps.logger.warn("a run was not taken up", { runId, error: toAstromeshError(thrown) });
      return null;
    } finally {
      claiming.delete(runId);
    }
  };

  return {
    free,
    claim,
    active: () => attempts.size + claiming.size,
    get: (runId) => attempts.get(runId),
    has: (runId) => attempts.has(runId) || claiming.has(runId),
    reserve: () => {
      if (free() <= 0) return false;
      reserved += 1;
      return true;
    },
    release: () => {
      reserved -= 1;
    },
    adopt: (run, definition, askedAt) => {
      reserved -= 1;
      leases.hold(run.runId, askedAt);
      launch(run, definition, { fresh: true, died: false });
    },
    allEnded: async () => {
      await Promise.all([...attempts.values()].map((attempt) => attempt.ended));
    },
    each: () => attempts.values(),
  };
}

function createDefinitions(store: Pick<RunStore, "definition">): (run: Run) => Promise<AgentDefinition> {
  const known = new Map<string, AgentDefinition>();
  return async ({ definitionDigest, runId }) => {
    const cached = known.get(definitionDigest);
    if (cached !== undefined) return cached;
    const pinned = await store.definition(definitionDigest);
    if (pinned === null) throw new Error(`The definition ${definitionDigest} of run ${runId} is not in the store.`);
    const [oldest] = known.keys();
    if (known.size >= MAX_DEFINITIONS && oldest !== undefined) known.delete(oldest);
    known.set(definitionDigest, pinned.definition);
    return pinned.definition;
  };
}
