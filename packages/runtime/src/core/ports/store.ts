import type { AgentStore } from "./agent-store.ts";
import type { CacheStore } from "./cache-store.ts";
import type { ConversationStore } from "./conversation-store.ts";
import type { RunStore } from "./run-store.ts";

/** How a store does. */
export interface StoreStatus {
  readonly kind: "sqlite" | "postgres";
  /** Ready to serve; otherwise `reason` says what is missing. */
  readonly ready: boolean;
  readonly reason: string | null;
  /** Stable name of the database; nodes with the same one share sessions and runs. */
  readonly storeId: string | null;
}

/** The repositories of one database, opened and closed together. */
export interface Store {
  readonly runs: RunStore;
  readonly conversations: ConversationStore;
  readonly agents: AgentStore;
  readonly cache: CacheStore;
  /** Opens, migrates and keeps trying; resolves when ready. Rejects only for what no retry can mend. */
  start(signal: AbortSignal): Promise<void>;
  /** Waits for writes under way, then closes. Idempotent. */
  stop(): Promise<void>;
  status(): StoreStatus;
}
