import type { Json, JsonObject, RoutingStrategy, SecretRef } from "../core/index.ts";
import type { ProviderType } from "./provider-types.ts";

/** One model server that the node knows. */
export interface ProviderEntry {
  readonly name: string;
  readonly type: ProviderType;
  /** The server's base URL; null for the type's own. */
  readonly endpoint: string | null;
  /** The first is the one for `model: default`; empty: whatever the server lists. */
  readonly models: readonly string[];
  readonly apiKey: SecretRef | null;
  /** How long the model may stay silent. Default 120,000. */
  readonly timeoutMs: number;
  /** Parameters of every call; a candidate's own win. May hold references, see `expandSecrets`. */
  readonly parameters: JsonObject;
  /** For `scripted`: the replies, read from the script's file. */
  readonly script: Json;
  /** Default 30,000. */
  readonly healthCheckIntervalMs: number;
  /** `built-in`, the variable that made it, or `file:line:col`. */
  readonly origin: string;
}

/** What a million tokens cost, in United States dollars. */
export interface ModelPrice {
  readonly inputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
}

/** What the node knows about models. */
export interface ProvidersConfig {
  readonly providers: ReadonlyMap<string, ProviderEntry>;
  /**
   * What `provider: default` stands for, in this order: the first that answers and has the model. Null model: the
   * provider's first. Always ends with `offline`, which always answers.
   */
  readonly defaultCandidates: readonly { readonly provider: string; readonly model: string | null }[];
  readonly routing: {
    /** Default quality_first. */
    readonly defaultStrategy: RoutingStrategy;
    /** Default true. */
    readonly fallbackEnabled: boolean;
    readonly circuitBreaker: {
      /** Failures in a row. Default 3. */
      readonly failureThreshold: number;
      /** Default 60,000. */
      readonly recoveryTimeoutMs: number;
    };
  };
  /** By model; above or beside the built-in prices. */
  readonly prices: Readonly<Record<string, ModelPrice>>;
}
