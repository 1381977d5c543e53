import type { JsonObject } from "../json.ts";

/** A definition that came by API, as it was sent (secrets as `${VAR}` references only). */
export interface StoredAgent {
  readonly name: string;
  readonly document: JsonObject;
  readonly updatedAt: number;
}

/** Where definitions that came by API are kept. */
export interface AgentStore {
  list(): Promise<readonly StoredAgent[]>;
  put(agent: StoredAgent): Promise<void>;
  /** False when there was none. */
  remove(name: string): Promise<boolean>;
}
