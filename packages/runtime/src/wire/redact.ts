import { isJsonArray, isJsonObject } from "../core/index.ts";
import type { Json } from "../core/index.ts";

/** What stands where a secret was. */
export const HIDDEN = "***";

const SECRET_NAME = /key|token|secret|passw|authorization|credential|cookie|signature/i;
const URL_USERINFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** True for a setting whose name says that its value is a secret; counts such as `max_tokens` are none. */
function namesSecret(name: string, value: Json): boolean {
  return SECRET_NAME.test(name) && typeof value !== "number" && typeof value !== "boolean" && value !== null;
}

/** Hides the user and password of every URL in a text. */
export function redactText(text: string): string {
  return text.replace(URL_USERINFO, `$1${HIDDEN}@`);
}

/** Hides what looks like a secret in free settings: members named like one, and passwords in URLs. */
export function redact(value: Json): Json {
  if (typeof value === "string") return redactText(value);
  if (isJsonArray(value)) return value.map(redact);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, namesSecret(name, member) ? HIDDEN : redact(member)]),
  );
}
