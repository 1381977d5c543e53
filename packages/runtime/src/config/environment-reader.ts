import { type Scope, SCOPES } from "../core/index.ts";
import { nodeUrl, ollamaUrl } from "./addresses.ts";
import type { Fault } from "./fault.ts";
import { suggestion } from "./suggest.ts";
import type { Variables } from "./variables.ts";

/** A key of the API, as `ASTROMESH_API_KEYS` or `api.auth.keys` give it. */
export interface ApiKey {
  /** The principal: owner of the key's runs and sessions. */
  readonly name: string;
  readonly key: string;
  readonly scopes: readonly Scope[];
}

/** The schemes of web addresses. */
export const HTTP = ["http", "https"] as const;

const SERVICE_URL = /^(?:([A-Z][A-Z0-9_]*)_SERVICE_URL|(DS_ORCHESTRATOR|DS_ANALYSTS)_URL)$/;

/** Reads variables by kind; what is wrong goes to `faults` and reads as null. Messages never hold a secret. */
export function createEnvironmentReader(variables: Variables) {
  const faults: Fault[] = [];
  const single = createSingleReader(variables, (name, message) => {
    faults.push({ file: null, at: null, path: [name], message });
    return null;
  });
  return { faults, ...single, ...createListReader(single) };
}

type SingleReader = ReturnType<typeof createSingleReader>;

/** Variables with one value. */
function createSingleReader(variables: Variables, fail: (name: string, message: string) => null) {
  const text = (name: string): string | null => variables[name]?.trim() || null;
  const oneOf = <T extends string>(name: string, words: readonly T[]): T | null => {
    const value = text(name);
    if (value === null) return null;
    const word = words.find((candidate) => candidate === value.toLowerCase());
    if (word !== undefined) return word;
    return fail(name, `expected one of ${words.join(", ")}, got "${value.slice(0, 40)}"${suggestion(value, words)}`);
  };
  const flag = (name: string): boolean | null => {
    const value = text(name);
    if (value === null) return null;
    if (value === "true" || value === "false") return value === "true";
    return fail(name, `expected true or false, got "${value.slice(0, 40)}"`);
  };
  const url = (name: string, schemes: readonly string[]): string | null => {
    const value = text(name);
    if (value === null) return null;
    if (URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1))) return value;
    return fail(name, `expected an address that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`);
  };
  const ollama = (name: string): string | null => {
    const value = text(name);
    if (value === null) return null;
    return ollamaUrl(value) ?? fail(name, "expected a host, host:port or an http:// address");
  };
  const sampleRatio = (): number | null => {
    const sampler = text("OTEL_TRACES_SAMPLER");
    if (sampler === null) return null;
    if (sampler.endsWith("always_on")) return 1;
    if (sampler.endsWith("always_off")) return 0;
    const ratio = Number(text("OTEL_TRACES_SAMPLER_ARG") ?? "1");
    if (sampler.endsWith("traceidratio") && ratio >= 0 && ratio <= 1) return ratio;
    return fail("OTEL_TRACES_SAMPLER", "expected always_on, always_off or traceidratio with a ratio from 0 to 1");
  };
  const serviceUrls = (): Record<string, string> => {
    const names = Object.keys(variables).filter((name) => SERVICE_URL.test(name));
    const entries = names.toSorted().flatMap((name): [string, string][] => {
      const match = SERVICE_URL.exec(name);
      const address = url(name, HTTP);
      const agent = (match?.[1] ?? match?.[2] ?? "").toLowerCase().replaceAll("_", "-");
      return address === null ? [] : [[agent, address]];
    });
    return Object.fromEntries(entries);
  };
  return { fail, text, oneOf, flag, url, ollama, sampleRatio, serviceUrls };
}

/** Variables with a comma list. */
function createListReader({ text, fail }: SingleReader) {
  const list = (name: string): string[] | null => {
    const parts = text(name)
      ?.split(",")
      .map((part) => part.trim());
    return parts?.filter((part) => part !== "") ?? null;
  };
  const failEach = (name: string, parts: readonly string[], wrong: (part: string) => string | null): void => {
    for (const [index, part] of parts.entries()) {
      const message = wrong(part);
      if (message !== null) fail(name, `entry ${index + 1}: ${message}`);
    }
  };
  const addresses = (name: string): string[] | null => {
    const parts = list(name);
    failEach(name, parts ?? [], (part) => (nodeUrl(part) === null ? "expected host:port or an http:// address" : null));
    return parts;
  };
  const secrets = (name: string): string[] | null => {
    const parts = list(name);
    failEach(name, parts ?? [], (part) => (part.length < 8 ? "must have at least 8 characters" : null));
    return parts;
  };
  const pairs = (name: string): Record<string, string> | null => {
    const parts = list(name);
    if (parts === null) return null;
    failEach(name, parts, (part) => (/^[^=]+=/.test(part) ? null : "expected name=value"));
    return Object.fromEntries(
      parts.map((part) => {
        const [key = "", ...value] = part.split("=");
        return [key.trim(), decode(value.join("=").trim())];
      }),
    );
  };
  const apiKeys = (name: string): ApiKey[] | null => {
    const parts = list(name)?.map((part, index) => readApiKey(part, index + 1));
    if (parts === undefined) return null;
    return parts.flatMap((key, index) => {
      if (typeof key !== "string") return [key];
      fail(name, `entry ${index + 1}: ${key}`);
      return [];
    });
  };
  return { addresses, secrets, pairs, apiKeys };
}

/** The key of an entry, or what is wrong with it (never the key). */
function readApiKey(entry: string, index: number): ApiKey | string {
  const parts = entry.split(":");
  if (parts.length > 3) return "expected key, name:key or name:key:scope+scope";
  const [name, key, scopeText] = parts.length === 1 ? [`key-${index}`, entry] : parts;
  if (name === undefined || name === "" || key === undefined || key.length < 8) {
    return "a key must have at least 8 characters, and its name one";
  }
  if (scopeText === undefined) return { name, key, scopes: SCOPES };
  const words = scopeText.split("+");
  const scopes = SCOPES.filter((scope) => words.includes(scope));
  if (scopes.length !== words.length) return `scopes are ${SCOPES.join(", ")}, joined by +`;
  return { name, key, scopes };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
