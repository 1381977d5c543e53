import { isJsonArray, type Json, type JsonObject } from "../core/index.ts";
import type { Fault, Path, Position } from "./fault.ts";

/** Levels of lists and mappings that any document may have. */
export const MAX_DEPTH = 64;

/** A value that knows where it stands. Null positions: the document came as JSON, without a text. */
export type Located = LocatedScalar | LocatedMap | LocatedList;

/** A text, a number, true, false or nothing. */
export interface LocatedScalar {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly at: Position | null;
  /** The text named variables and was expanded, so its value must not be shown. */
  readonly expanded: boolean;
}

/** A mapping. */
export interface LocatedMap {
  readonly kind: "map";
  readonly at: Position | null;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

/** A key and its value. */
export interface LocatedEntry {
  readonly keyAt: Position | null;
  readonly value: Located;
}

/** A list. */
export interface LocatedList {
  readonly kind: "list";
  readonly at: Position | null;
  readonly items: readonly Located[];
}

/** A document with the name that its faults are reported under. */
export interface Source {
  /** As shown to people; null for a document that came by API. */
  readonly file: string | null;
  readonly root: Located;
}

/** The plain value. */
export function toJson(node: Located): Json {
  if (node.kind === "scalar") return node.value;
  return node.kind === "list" ? node.items.map(toJson) : mapToJson(node);
}

// Object.fromEntries defines own properties, so that a key `__proto__` stays a key.
function mapToJson(map: LocatedMap): JsonObject {
  return Object.fromEntries([...map.entries].map(([key, entry]) => [key, toJson(entry.value)]));
}

/** A plain value without positions, as a document that came by API. */
export function fromJson(value: Json): Located {
  if (value === null || typeof value !== "object") return { kind: "scalar", value, at: null, expanded: false };
  if (isJsonArray(value)) return { kind: "list", at: null, items: value.map(fromJson) };
  const entries = Object.entries(value).map(([key, child]) => [key, { keyAt: null, value: fromJson(child) }] as const);
  return { kind: "map", at: null, entries: new Map(entries) };
}

/** The value at a path; null when there is none. */
export function nodeAt(root: Located, path: Path): Located | null {
  let node: Located = root;
  for (const part of path) {
    const next: Located | undefined =
      node.kind === "map"
        ? node.entries.get(String(part))?.value
        : node.kind === "list" && typeof part === "number"
          ? node.items[part]
          : undefined;
    if (next === undefined) return null;
    node = next;
  }
  return node;
}

/** Where a value stands; for one that is not there, the key of the nearest part around it that is. */
export function positionOf(root: Located, path: Path): Position | null {
  const node = nodeAt(root, path);
  if (node !== null) return node.at;
  for (let length = path.length - 1; length > 0; length -= 1) {
    const around = path.slice(0, length);
    if (nodeAt(root, around) !== null) return keyPositionOf(root, around);
  }
  return root.at;
}

/** Where the key of a value stands; the value's own place where it has no key (list items, the root). */
function keyPositionOf(root: Located, path: Path): Position | null {
  const parent = nodeAt(root, path.slice(0, -1));
  const key = path.at(-1);
  if (parent?.kind === "map" && key !== undefined) {
    const entry = parent.entries.get(String(key));
    if (entry !== undefined) return entry.keyAt;
  }
  return positionOf(root, path);
}

/** A fault about the value at a path. */
export function faultAt(source: Source, path: Path, message: string): Fault {
  return { file: source.file, at: positionOf(source.root, path), path, message };
}

/** A fault about the key of a path. */
export function faultAtKey(source: Source, path: Path, message: string): Fault {
  return { file: source.file, at: keyPositionOf(source.root, path), path, message };
}

/** The text at a path in quotes, for messages; in words where it came from a variable. */
export function quoted(source: Source, path: Path): string {
  const node = nodeAt(source.root, path);
  if (node?.kind === "scalar" && !node.expanded) return JSON.stringify(String(node.value).slice(0, 64));
  return "in the variable";
}

/** The same tree with every scalar passed through `change`. */
export function mapScalars(
  node: Located,
  change: (scalar: LocatedScalar, path: Path) => LocatedScalar,
  path: Path = [],
): Located {
  if (node.kind === "scalar") return change(node, path);
  if (node.kind === "list") {
    return { ...node, items: node.items.map((item, index) => mapScalars(item, change, [...path, index])) };
  }
  const entries = [...node.entries].map(
    ([key, entry]) => [key, { ...entry, value: mapScalars(entry.value, change, [...path, key]) }] as const,
  );
  return { ...node, entries: new Map(entries) };
}
