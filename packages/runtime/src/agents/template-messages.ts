import type { JsonObject } from "../core/index.ts";

/** What is wrong with a template. */
export interface TemplateFault {
  /** The template's name. */
  readonly template: string;
  /** Null when the engine could not tell. The first line is 1. */
  readonly line: number | null;
  readonly message: string;
}

/** What the host asks of the thread. It sends the next only when the last is answered. */
export type ThreadRequest =
  | {
      readonly kind: "render";
      readonly templates: Readonly<Record<string, string>>;
      readonly entry: string;
      readonly variables: JsonObject;
    }
  | { readonly kind: "check"; readonly templates: Readonly<Record<string, string>> };

/** What the thread says: `ready` once, then one answer to each request. */
export type ThreadAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "faults"; readonly faults: readonly TemplateFault[] };
