import { isJsonArray, isJsonObject } from "../core/index.ts";
import type { Json } from "../core/index.ts";

/** What stands where a secret was. */
export const HIDDEN = "***";

const SECRET_NAME = /key|token|secret|passw|authorization|credential|cookie|signature/i;
const URL_USERINFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const URL_SECRET = /([?&][^\s=&#]*(?:key|token|secret|passw|credential|sig)[^\s=&#]*=)[^\s&#]+/gi;

/** True for a setting whose name says that its value is a secret; counts such as `max_tokens` are none. */
function namesSecret(name: string, value: Json): boolean {
  return SECRET_NAME.test(name) && typeof value !== "number" && typeof value !== "boolean" && value !== null;
}

/** Hides the user and password of every URL in a text, and what its query names like a secret. */
export function redactText(text: string): string {
  return text.replace(URL_USERINFO, `$1${HIDDEN}@`).replace(URL_SECRET, `$1${HIDDEN}`);
}

/** A header says nothing of its value by its name, so all of them are hidden, as in GET /v1/config. */
function hide(name: string, member: Json): Json {
  if (name === "headers" && isJsonObject(member)) {
    return Object.fromEntries(Object.keys(member).map((header) => [header, HIDDEN]));
  }
  return namesSecret(name, member) ? HIDDEN : redact(member);
}

/** Hides what looks like a secret in free settings: members named like one, every header, and passwords in URLs. */
export function redact(value: Json): Json {
  if (typeof value === "string") return redactText(value);
  if (isJsonArray(value)) return value.map(redact);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hide(name, member)]));
}
