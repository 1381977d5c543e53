import { isJsonArray, isJsonObject } from "../core/index.ts";
import type { Json, JsonObject } from "../core/index.ts";
import type { Script, ScriptFault, ScriptMatch, ScriptRule, ScriptToolCall } from "./script.ts";

/** A fault of a script: where it stands and what is wrong. */
export interface ScriptError {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A script, or everything that is wrong with it. */
export type ParsedScript =
  | { readonly ok: true; readonly script: Script }
  | { readonly ok: false; readonly errors: readonly ScriptError[] };

const RULE_KEYS = [
  "match",
  "times",
  "thinking",
  "reply",
  "tool_calls",
  "usage",
  "delay_ms",
  "token_delay_ms",
  "fault",
] as const;
const MATCH_KEYS = ["user", "user_regex", "tool", "tool_results", "model", "call"] as const;
const FAULT_KEYS = [
  "status",
  "retry_after_ms",
  "message",
  "break_after_tokens",
  "silence_ms",
  "after_tokens",
  "garbage",
  "no_end",
] as const;

/** Validates a script that was read from YAML or JSON. Its shape is described at `Script`; a list is its rules. */
export function parseScript(data: Json): ParsedScript {
  const errors: ScriptError[] = [];
  const path: Path = isJsonArray(data) ? [] : ["rules"];
  const list = isJsonArray(data) ? data : reader(data, [], ["rules"], errors).list("rules");
  const rules = list.map((rule, index) => toRule(rule, [...path, index], errors));
  if (rules.length === 0) errors.push({ path, message: "a script needs at least one rule" });
  return errors.length === 0 ? { ok: true, script: { rules } } : { ok: false, errors };
}

function toRule(data: Json, path: Path, errors: ScriptError[]): ScriptRule {
  const rule = reader(data, path, RULE_KEYS, errors);
  const usage = rule.member("usage");
  const fault = rule.member("fault");
  return {
    match: toMatch(rule.member("match") ?? {}, [...path, "match"], errors),
    times: rule.count("times"),
    thinking: rule.text("thinking") ?? "",
    reply: rule.text("reply") ?? "",
    toolCalls: rule.list("tool_calls").map((call, index) => toCall(call, [...path, "tool_calls", index], errors)),
    usage: usage === undefined ? null : toUsage(usage, [...path, "usage"], errors),
    delayMs: rule.count("delay_ms") ?? 0,
    tokenDelayMs: rule.count("token_delay_ms") ?? 0,
    fault: fault === undefined ? null : toFault(fault, [...path, "fault"], errors),
  };
}

function toMatch(data: Json, path: Path, errors: ScriptError[]): ScriptMatch {
  // A plain text is short for `user`.
  const match = reader(typeof data === "string" ? { user: data } : data, path, MATCH_KEYS, errors);
  const pattern = match.text("user_regex");
  let userRegex: RegExp | null = null;
  try {
    userRegex = pattern === null ? null : new RegExp(pattern, "i");
  } catch {
    errors.push({ path: [...path, "user_regex"], message: "not a regular expression" });
  }
  return {
    user: match.text("user"),
    userRegex,
    tool: match.text("tool"),
    toolResults: match.count("tool_results"),
    model: match.text("model"),
    call: match.count("call"),
  };
}

function toCall(data: Json, path: Path, errors: ScriptError[]): ScriptToolCall {
  const call = reader(data, path, ["name", "arguments"], errors);
  const name = call.text("name");
  if (name === null) errors.push({ path: [...path, "name"], message: "a tool call needs a name" });
  const sent = call.member("arguments") ?? {};
  if (typeof sent === "string" || isJsonObject(sent)) return { name: name ?? "", arguments: sent };
  errors.push({ path: [...path, "arguments"], message: "expected an object, or text to send as it is" });
  return { name: name ?? "", arguments: {} };
}

function toUsage(data: Json, path: Path, errors: ScriptError[]): { inputTokens: number; outputTokens: number } {
  const usage = reader(data, path, ["input_tokens", "output_tokens"], errors);
  return { inputTokens: usage.count("input_tokens") ?? 0, outputTokens: usage.count("output_tokens") ?? 0 };
}

function toFault(data: Json, path: Path, errors: ScriptError[]): ScriptFault {
  const fault = reader(data, path, FAULT_KEYS, errors);
  const status = fault.count("status");
  if (status !== null) {
    const message = fault.text("message") ?? "scripted fault";
    return { kind: "status", status, retryAfterMs: fault.count("retry_after_ms"), message };
  }
  const breakAfter = fault.count("break_after_tokens");
  if (breakAfter !== null) return { kind: "break", afterTokens: breakAfter };
  const silenceMs = fault.count("silence_ms");
  if (silenceMs !== null) {
    return { kind: "silence", durationMs: silenceMs, afterTokens: fault.count("after_tokens") ?? 0 };
  }
  if (fault.member("garbage") === true) return { kind: "garbage" };
  if (fault.member("no_end") !== true) {
    errors.push({ path, message: "expected one of status, break_after_tokens, silence_ms, garbage, no_end" });
  }
  return { kind: "no_end" };
}

type Path = readonly (string | number)[];

/** Reads the members of one object and notes what does not fit. */
function reader(data: Json, path: Path, keys: readonly string[], errors: ScriptError[]) {
  const object: JsonObject = isJsonObject(data) ? data : {};
  if (!isJsonObject(data)) errors.push({ path, message: "expected an object" });
  for (const key of Object.keys(object)) {
    if (!keys.includes(key))
      errors.push({ path: [...path, key], message: `unknown key; known are ${keys.join(", ")}` });
  }
  const wrong = (key: string, expected: string): null => {
    errors.push({ path: [...path, key], message: `expected ${expected}` });
    return null;
  };
  return {
    member: (key: string): Json | undefined => object[key],
    text(key: string): string | null {
      const value = object[key];
      if (value === undefined) return null;
      return typeof value === "string" ? value : wrong(key, "text");
    },
    count(key: string): number | null {
      const value = object[key];
      if (value === undefined) return null;
      return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : wrong(key, "a whole number");
    },
    list(key: string): readonly Json[] {
      const value = object[key];
      if (value === undefined) return [];
      return isJsonArray(value) ? value : (wrong(key, "a list") ?? []);
    },
  };
}
