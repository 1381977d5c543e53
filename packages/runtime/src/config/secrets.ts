import { canonicalJson, isJsonArray, type Json, type JsonObject, type SecretRef } from "../core/index.ts";
import type { Path } from "./fault.ts";
import { expandSecrets, soleVariable, type Variables } from "./variables.ts";

/** A key that stands in a file. It never leaves the process; definitions hold a SecretRef instead. */
export interface LiteralSecret {
  readonly owner: string;
  readonly path: Path;
  /** May name variables, which are expanded when the secret is read. */
  readonly text: string;
}

/** A key as a file gave it: the reference that definitions hold, and the literals that stay here. */
export interface ReadSecret {
  /** Null: no key was given. */
  readonly ref: SecretRef | null;
  readonly literals: readonly LiteralSecret[];
}

/**
 * What `api_key` and `api_key_env` mean. `api_key: ${NAME}` and `api_key_env: NAME` are the same reference; anything
 * else in `api_key` is a literal of that file, owned by `agent:NAME` or `provider:NAME`.
 */
export function readSecret(
  apiKey: string | undefined,
  apiKeyEnv: string | undefined,
  owner: string,
  path: Path,
): ReadSecret {
  const variable = apiKey === undefined ? apiKeyEnv : soleVariable(apiKey);
  if (variable !== undefined && variable !== null) return { ref: { from: "env", name: variable }, literals: [] };
  if (apiKey === undefined) return { ref: null, literals: [] };
  return { ref: { from: "file", owner, path }, literals: [{ owner, path, text: apiKey }] };
}

/** Gives the secret that a reference names; null when it is not set (or the file no longer has it). */
export type SecretResolver = (ref: SecretRef) => string | null;

/** A resolver over one loaded snapshot: the environment and the literals of its files. */
export function createSecretResolver(env: Variables, literals: readonly LiteralSecret[]): SecretResolver {
  const texts = new Map(literals.map((literal) => [literalKey(literal.owner, literal.path), literal.text]));
  return (ref) => {
    if (ref.from === "env") return env[ref.name] || null;
    const text = texts.get(literalKey(ref.owner, ref.path));
    return text === undefined ? null : expandSecrets(text, env);
  };
}

function literalKey(owner: string, path: Path): string {
  return canonicalJson([owner, [...path]]);
}

/** What is shown instead of a secret. */
const HIDDEN = "***";

const SECRET_KEY = /(^|[_-])(api_?keys?|key|secrets?|passwords?|passwd|tokens?|authorization|credentials?|cookie)$/i;

/** Keys that end like a secret's and hold none. */
const PLAIN_KEYS: ReadonlySet<string> = new Set(["max_tokens"]);

/** True when a path leads to, or through, a key that holds secrets (`headers` included). */
export function isSecretPath(path: Path): boolean {
  return path.some((part) => typeof part === "string" && isSecretKey(part));
}

/** True for a key whose name says that it holds secrets. */
export function isSecretKey(key: string): boolean {
  return key === "headers" || (SECRET_KEY.test(key) && !PLAIN_KEYS.has(key));
}

/**
 * The same value with secrets replaced by `***`: values of keys named like secrets, every header, and the password
 * inside a URL. References (`${NAME}`) are no secrets and stay.
 */
export function hideSecrets(json: Json, path: Path = []): Json {
  if (isJsonArray(json)) return json.map((item) => hideSecrets(item, path));
  if (json !== null && typeof json === "object") {
    if (isReference(json)) return json;
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, hideSecrets(value, [...path, key])]));
  }
  if (typeof json !== "string") return json;
  if (soleVariable(json) !== null) return json;
  if (isSecretPath(path) && json !== "") return HIDDEN;
  return hideUrlPassword(json);
}

/** A SecretRef names a place and holds nothing. */
function isReference(json: JsonObject): boolean {
  return (json["from"] === "env" && "name" in json) || (json["from"] === "file" && "owner" in json);
}

/** A URL without its password. */
function hideUrlPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#@:]*):[^/?#]*@/i, `$1:${HIDDEN}@`);
}
