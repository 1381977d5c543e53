import type { Json, JsonObject } from "../core/index.ts";

/** What stands where a secret was. */
const HIDDEN = "[hidden]";

/** Takes secrets out of what is about to be written down. */
export interface Redactor {
  /** Hides these values wherever they appear; values under 8 characters are left alone, for they hide too much. */
  hide(secrets: readonly string[]): void;
  text(text: string): string;
  /** Facts as plain JSON: secrets hidden by name and by value, errors opened up, depth and length bounded. */
  fields(fields: Readonly<Record<string, unknown>>): JsonObject;
}

/** Ends of names (lower case, without `_` and `-`) whose values are secrets. */
const SECRET_NAMES = [
  "apikey",
  "apikeys",
  "authorization",
  "cookie",
  "credentials",
  "databaseurl",
  "password",
  "passwd",
  "privatekey",
  "secret",
  "secrets",
  "accesstoken",
  "refreshtoken",
  "authtoken",
  "bearertoken",
];

/** Secrets that show by their form: bearer tokens, provider keys, passwords and keys in addresses. */
const SECRET_FORMS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/\bsk-[\w-]{16,}/g, HIDDEN],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, `$1:${HIDDEN}@`],
  [/([?&][^\s=&#]*(?:key|token|secret|passw|credential|sig)[^\s=&#]*=)[^\s&#]+/gi, `$1${HIDDEN}`],
];

const MIN_SECRET_LENGTH = 8;
const MAX_TEXT_LENGTH = 8_192;
const MAX_DEPTH = 6;

/** Makes a redactor that knows no values yet, only names and forms. */
export function createRedactor(): Redactor {
  let values: readonly string[] = [];

  const text = (input: string): string => {
    let output = input.length > MAX_TEXT_LENGTH ? `${input.slice(0, MAX_TEXT_LENGTH)}…` : input;
    for (const value of values) output = output.replaceAll(value, HIDDEN);
    for (const [form, replacement] of SECRET_FORMS) output = output.replace(form, replacement);
    return output;
  };

  const json = (value: unknown, depth: number): Json => {
    if (value === null || typeof value === "boolean" || typeof value === "number") return value;
    if (typeof value === "string") return text(value);
    if (typeof value === "bigint") return value.toString();
    if (typeof value !== "object") return null;
    // A cycle ends here as well.
    if (depth >= MAX_DEPTH) return "…";
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Error) return members(openError(value), depth);
    if (Array.isArray(value)) return value.map((item) => json(item, depth + 1));
    return members(value as Record<string, unknown>, depth);
  };

  const members = (object: Readonly<Record<string, unknown>>, depth: number): JsonObject => {
    const output: Record<string, Json> = {};
    for (const [name, value] of Object.entries(object)) {
      if (value === undefined || typeof value === "function") continue;
      output[name] = isSecretName(name) && value !== null ? HIDDEN : json(value, depth + 1);
    }
    return output;
  };

  return {
    hide(secrets) {
      const long = secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH);
      // Longest first, so that a secret that contains another one goes whole.
      values = [...new Set([...values, ...long])].toSorted((a, b) => b.length - a.length);
    },
    text,
    fields: (fields) => members(fields, 0),
  };
}

function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[_-]/g, "");
  return plain === "token" || SECRET_NAMES.some((secret) => plain.endsWith(secret));
}

function openError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    ...("code" in error ? { code: error.code } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined ? {} : { cause }),
  };
}
