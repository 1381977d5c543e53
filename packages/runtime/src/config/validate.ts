import { z } from "zod";

import { isJsonArray, isJsonObject, type Json } from "../core/index.ts";
import { type Fault, formatPath, type Path } from "./fault.ts";
import { faultAt, faultAtKey, nodeAt, type Source, toJson } from "./located.ts";
import { isSecretPath } from "./secrets.ts";
import { suggestion } from "./suggest.ts";

/** What validation gave: the value with its defaults, or every fault. */
export type Validated<T> =
  | { readonly ok: true; readonly value: T; readonly given: Json }
  | {
      readonly ok: false;
      readonly faults: readonly Fault[];
      /** What is left without the parts at fault, to look for further faults in; null when nothing is. */
      readonly rest: T | null;
    };

/** Marks an issue for which no schema has a text of its own. */
const NO_TEXT = "\u0000";

/**
 * Checks a source against a schema. Two things are mended first, because they are how YAML is written: a key with
 * nothing behind it counts as absent, and a text that came from a variable becomes the number or the boolean that the
 * schema wants. `given` is the plain value after that, without defaults.
 */
export function validateSource<S extends z.ZodType>(schema: S, source: Source): Validated<z.output<S>> {
  let given = toJson(source.root);
  let result = parse(schema, given);
  // Dropping an empty key may uncover that it is required; two rounds reach a fixed point of both mendings.
  for (let round = 0; round < 2 && !result.success; round += 1) {
    given = mend(given, result.error.issues, source);
    result = parse(schema, given);
  }
  if (result.success) return { ok: true, value: result.data, given };
  const { issues } = result.error;
  const faults = issues.flatMap((issue) => toFaults(issue, schema, given, source));
  return { ok: false, faults, rest: parseRest(schema, given, issues) };
}

/** Faults without those at a place that has one already: a value whose variable is not set is wrong once. */
export function withoutRepeats(faults: readonly Fault[], earlier: readonly Fault[]): Fault[] {
  const places = new Set(earlier.map((fault) => formatPath(fault.path)));
  return faults.filter((fault) => !places.has(formatPath(fault.path)));
}

/** Takes the parts at fault away, and what then lacks a required key, until the rest fits. */
function parseRest<S extends z.ZodType>(
  schema: S,
  given: Json,
  issues: readonly z.core.$ZodIssue[],
): z.output<S> | null {
  let rest = given;
  let wrong = issues;
  for (let round = 0; round < 8; round += 1) {
    const before = rest;
    for (const path of wrong.flatMap((issue) => pathsAtFault(issue, before))) {
      if (path.length === 0) return null;
      rest = replaceAt(rest, path, undefined);
    }
    const result = parse(schema, rest);
    if (result.success) return result.data;
    wrong = result.error.issues;
  }
  return null;
}

function pathsAtFault(issue: z.core.$ZodIssue, root: Json): Path[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...(issue.path as Path), key]);
  let path = issue.path as Path;
  // A list goes as a whole, so that the indexes of what stays are right.
  while (path.length > 0 && (typeof path.at(-1) === "number" || valueAt(root, path) === undefined)) {
    path = path.slice(0, -1);
  }
  return [path];
}

function parse<S extends z.ZodType>(schema: S, value: Json): z.ZodSafeParseResult<z.output<S>> {
  return schema.safeParse(value, { error: () => NO_TEXT });
}

function mend(given: Json, issues: readonly z.core.$ZodIssue[], source: Source): Json {
  let mended = given;
  for (const issue of issues) {
    const path = issue.path as Path;
    const value = valueAt(mended, path);
    if (value === null && path.length > 0) mended = replaceAt(mended, path, undefined);
    else if (issue.code === "invalid_type" && typeof value === "string") {
      const node = nodeAt(source.root, path);
      const typed = node?.kind === "scalar" && node.expanded ? readTyped(value, issue.expected) : undefined;
      if (typed !== undefined) mended = replaceAt(mended, path, typed);
    }
  }
  return mended;
}

function readTyped(text: string, expected: string): Json | undefined {
  if (expected === "boolean" && (text === "true" || text === "false")) return text === "true";
  if ((expected === "number" || expected === "int") && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return undefined;
}

function valueAt(root: Json, path: Path): Json | undefined {
  let value: Json | undefined = root;
  for (const part of path) {
    if (value === undefined || value === null || typeof value !== "object") return undefined;
    value = isJsonArray(value) ? value[Number(part)] : Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value;
}

/** A copy with another value at a path; undefined takes the key away. */
function replaceAt(root: Json, path: Path, value: Json | undefined): Json {
  const [head, ...rest] = path;
  if (head === undefined) return value ?? null;
  if (isJsonArray(root)) {
    return root.map((item, index) => (index === head ? replaceAt(item, rest, value) : item));
  }
  if (!isJsonObject(root)) return root;
  const entries = Object.entries(root).flatMap(([key, child]): [string, Json][] => {
    if (key !== String(head)) return [[key, child]];
    if (rest.length === 0) return value === undefined ? [] : [[key, value]];
    return [[key, replaceAt(child, rest, value)]];
  });
  return Object.fromEntries(entries);
}

function toFaults(issue: z.core.$ZodIssue, schema: z.ZodType, given: Json, source: Source): Fault[] {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const at = faultAtKey(source, [...path, key], `unknown key "${key}"${suggestion(key, known)}`);
      return { ...at, path };
    });
  }
  if (issue.code === "invalid_key") {
    const message = issue.issues.find((inner) => inner.message !== NO_TEXT)?.message ?? "not a valid name";
    return [faultAtKey(source, path, message)];
  }
  const message =
    issue.message === NO_TEXT ? describe(issue, valueAt(given, path), shows(source, path)) : issue.message;
  return [faultAt(source, path, message)];
}

/** True when a value may be repeated in a message. */
function shows(source: Source, path: Path): boolean {
  const node = nodeAt(source.root, path);
  return node?.kind === "scalar" && !node.expanded && !isSecretPath(path);
}

function describe(issue: z.core.$ZodIssue, value: Json | undefined, mayShow: boolean): string {
  if (value === undefined) return "required";
  const got = mayShow ? shown(value) : kindOf(value);
  if (issue.code === "invalid_type") return `expected ${EXPECTED[issue.expected] ?? issue.expected}, got ${got}`;
  if (issue.code === "invalid_value") {
    const words = issue.values.map(String);
    const meant = mayShow && typeof value === "string" ? suggestion(value, words) : "";
    return `expected ${words.length === 1 ? words[0] : `one of ${words.join(", ")}`}, got ${got}${meant}`;
  }
  const numeric = (issue.code === "too_small" || issue.code === "too_big") && typeof value === "number";
  if (issue.code === "too_small") {
    return numeric
      ? `must be ${issue.inclusive === false ? "above" : "at least"} ${issue.minimum}`
      : "must not be empty";
  }
  if (issue.code === "too_big") return numeric ? `must be at most ${issue.maximum}` : "is too long";
  return `not valid: ${got}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function kindOf(value: Json): string {
  if (value === null) return "nothing";
  if (isJsonArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? "text" : typeof value === "number" ? "a number" : "true or false";
}

function shown(value: Json): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.length <= 40 ? JSON.stringify(value) : kindOf(value);
}

/** The keys that a schema knows for the mapping at a path. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  let options = unwrap(schema);
  for (const part of path) options = options.flatMap((option) => childOf(option, part)).flatMap(unwrap);
  return options.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []));
}

function childOf(schema: z.core.$ZodType, part: string | number): z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.element];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (!(schema instanceof z.ZodObject)) return [];
  const child = (schema.shape as Readonly<Record<string, z.core.$ZodType>>)[part];
  return child === undefined ? [] : [child];
}

/** The schemas that a wrapper or a union stands for. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(unwrap);
  return [schema];
}
