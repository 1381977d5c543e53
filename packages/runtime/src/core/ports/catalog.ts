import type { PinnedDefinition, RejectedAgent } from "../agent.ts";

/** An agent as it is loaded now. */
export interface LoadedAgent extends PinnedDefinition {
  readonly source: "file" | "api" | "builtin";
  /** The file it came from; null unless source is `file`. */
  readonly file: string | null;
  /** Parts that are valid but have no effect in this release, one sentence each. */
  readonly notices: readonly string[];
}

/** Agents as of one moment. Immutable: a reload makes another and swaps it in. */
export interface Catalog {
  readonly generation: number;
  readonly agents: ReadonlyMap<string, LoadedAgent>;
  readonly rejected: readonly RejectedAgent[];
}

/** Gives the catalog of now. */
export interface CatalogSource {
  current(): Catalog;
}
