import { AstromeshError, isJsonArray, type Json } from "../core/index.ts";
import type { Fault, Path } from "./fault.ts";
import { faultAt, mapScalars, type Source } from "./located.ts";

/** Environment variables by name, as `process.env` has them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * `$${` (an escaped `${`), `${NAME}`, `${NAME:-default}`, or a `${` that begins like a reference and is none.
 * A `${` before anything but a name, such as a template's `${{`, is plain text.
 */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{(?=[A-Za-z_])/g;

/** What expanding a text found. */
export interface Expansion {
  readonly text: string;
  /** The text named at least one variable. */
  readonly named: boolean;
  /** Variables that are not set and have no default. */
  readonly unset: readonly string[];
  /** A `${` that begins like a reference and is none. */
  readonly malformed: boolean;
}

/**
 * Replaces `${NAME}` by the variable and `${NAME:-default}` by the variable or, when it is unset or empty, by the
 * default (as in a shell). `$${` stands for `${`.
 */
export function expandText(text: string, env: Variables): Expansion {
  const unset: string[] = [];
  let named = false;
  let malformed = false;
  const expanded = text.replaceAll(REFERENCE, (match, name: string | undefined, fallback: string | undefined) => {
    if (match === "$${") return "${";
    if (name === undefined) {
      malformed = true;
      return match;
    }
    named = true;
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (value === undefined) unset.push(name);
    return value ?? "";
  });
  return { text: expanded, named, unset, malformed };
}

/** The variable that a text consists of, as in `${OPENAI_API_KEY}`; null for any other text. */
export function soleVariable(text: string): string | null {
  return /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1] ?? null;
}

/** How a source's references are treated. */
export interface ExpandOptions {
  /** True for places whose text stays as it is (and is only checked), so that no secret is written down. @default none */
  readonly keeps?: (path: Path) => boolean;
  /**
   * Refuses references everywhere else: who sends a document by API may not read this node's variables.
   *
   * @default false
   */
  readonly refuseElsewhere?: boolean;
}

/** Expands the references of every text in a source. Each unset variable is a fault at its value. */
export function expandSource(
  source: Source,
  env: Variables,
  options: ExpandOptions = {},
): { readonly source: Source; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const root = mapScalars(source.root, (scalar, path) => {
    if (typeof scalar.value !== "string" || !scalar.value.includes("${")) return scalar;
    const expansion = expandText(scalar.value, env);
    const keeps = options.keeps?.(path) === true;
    if (options.refuseElsewhere === true && !keeps && expansion.named) {
      const message = "a document sent by API may name variables only in api_key and config; write $${ for a plain ${";
      faults.push(faultAt(source, path, message));
    } else {
      for (const name of expansion.unset) faults.push(faultAt(source, path, `variable ${name} is not set`));
      if (expansion.malformed) {
        faults.push(faultAt(source, path, "not a variable: ${NAME} or ${NAME:-default}; write $${ for a plain ${"));
      }
    }
    return keeps ? scalar : { ...scalar, value: expansion.text, expanded: expansion.named };
  });
  return { source: { file: source.file, root }, faults };
}

/**
 * Expands the references that a pinned definition keeps (tool settings, parameters of a model): called right before
 * use, and its result is never stored, logged or journaled. A whole value stays text, whatever it looks like.
 * Throws `config_invalid` naming the variable when one is not set.
 */
export function expandSecrets<T extends Json>(json: T, env: Variables): T {
  return expandValue(json, env) as T;
}

function expandValue(json: Json, env: Variables): Json {
  if (typeof json === "string") {
    if (!json.includes("${")) return json;
    const expansion = expandText(json, env);
    const [missing] = expansion.unset;
    if (missing !== undefined) throw new AstromeshError("config_invalid", `variable ${missing} is not set`);
    return expansion.text;
  }
  if (json === null || typeof json !== "object") return json;
  if (isJsonArray(json)) return json.map((item) => expandValue(item, env));
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, expandValue(value, env)]));
}
