import {
  type Alias,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";

import type { Fault, Position } from "./fault.ts";
import { type Located, type LocatedEntry, MAX_DEPTH, type Source } from "./located.ts";
import { explainProblem } from "./yaml-problem.ts";

/** What reading a file's text gave. */
export interface ReadSource {
  /** Null when the text is no YAML that can be used. */
  readonly source: Source | null;
  readonly faults: readonly Fault[];
}

/** Values in one document, aliases counted as often as they are used: far above any real file. */
const MAX_NODES = 50_000;
const MAX_TEXT_CHARS = 1024 * 1024;

/**
 * Reads one YAML document. Anchors, aliases and merge keys (`<<`) are resolved; a value used through an alias stands
 * where it is used, what is inside it stands where it is written. Messages are our own, because the parser's may
 * repeat the text at fault.
 */
export function readYaml(text: string, file: string): ReadSource {
  const start: Position = { line: 1, col: 1 };
  if (text.length > MAX_TEXT_CHARS) return refuse(file, start, "the file is over 1 MiB");
  const lines = new LineCounter();
  const at = (offset: number): Position => lines.linePos(offset);
  let document;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, stringKeys: false });
  } catch {
    return refuse(file, start, "nested too deeply");
  }
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    const faults = problems.map((problem) => ({
      file,
      at: at(problem.pos[0]),
      path: [],
      message: explainProblem(problem),
    }));
    return { source: null, faults };
  }
  if (document.contents === null) return refuse(file, start, "the file is empty");
  const reader = createReader((alias) => alias.resolve(document) ?? null, at, file);
  const root = reader.read(document.contents, start, 0);
  return reader.faults.length > 0 ? { source: null, faults: reader.faults } : { source: { file, root }, faults: [] };
}

function refuse(file: string, at: Position, message: string): ReadSource {
  return { source: null, faults: [{ file, at, path: [], message }] };
}

interface Reader {
  readonly faults: Fault[];
  read(node: unknown, fallback: Position, depth: number): Located;
}

function createReader(
  resolve: (alias: Alias) => Node | null,
  positionAt: (offset: number) => Position,
  file: string,
): Reader {
  const faults: Fault[] = [];
  const open = new Set<unknown>();
  let nodes = 0;

  const fail = (at: Position, message: string): Located => {
    if (faults.every((fault) => fault.message !== message)) faults.push({ file, at, path: [], message });
    return { kind: "scalar", value: null, at, expanded: false };
  };
  const placeOf = (node: unknown, fallback: Position): Position => {
    const range = (node as Node | null)?.range;
    return range ? positionAt(range[0]) : fallback;
  };

  const read = (node: unknown, fallback: Position, depth: number): Located => {
    const at = placeOf(node, fallback);
    nodes += 1;
    if (nodes > MAX_NODES) return fail(at, `more than ${MAX_NODES} values`);
    if (depth > MAX_DEPTH) return fail(at, `nested deeper than ${MAX_DEPTH} levels`);
    if (isAlias(node)) {
      const target = resolve(node);
      if (target === null) return fail(at, "an alias without its anchor above it");
      if (open.has(target)) return fail(at, "an alias that contains itself");
      return { ...read(target, at, depth + 1), at };
    }
    if (isScalar(node)) {
      const { value } = node;
      if (typeof value === "number" && !Number.isFinite(value)) return fail(at, "a number must be finite");
      if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
        return { kind: "scalar", value, at, expanded: false };
      }
      return fail(at, "only text, numbers, true, false, lists and mappings are understood");
    }
    open.add(node);
    const result = isSeq(node)
      ? { kind: "list" as const, at, items: node.items.map((item) => read(item, at, depth + 1)) }
      : isMap(node)
        ? { kind: "map" as const, at, entries: readEntries(node, at, depth) }
        : { kind: "scalar" as const, value: null, at, expanded: false };
    open.delete(node);
    return result;
  };

  const readEntries = (map: YAMLMap, at: Position, depth: number): Map<string, LocatedEntry> => {
    const own = new Map<string, LocatedEntry>();
    const merged = new Map<string, LocatedEntry>();
    for (const pair of map.items) {
      const keyAt = placeOf(pair.key, at);
      if (isMergeKey(pair)) {
        for (const [key, entry] of mergedEntries(read(pair.value, keyAt, depth + 1), () => fail(keyAt, MERGE_TEXT)))
          if (!merged.has(key)) merged.set(key, entry);
        continue;
      }
      const key = keyText(pair.key);
      if (key === null) fail(keyAt, "a key must be plain text");
      else own.set(key, { keyAt, value: read(pair.value, keyAt, depth + 1) });
    }
    // Keys of the mapping itself win over merged ones (https://yaml.org/type/merge.html).
    return new Map([...own, ...[...merged].filter(([key]) => !own.has(key))]);
  };

  return { faults, read };
}

const MERGE_TEXT = "a merge key (<<) takes a mapping or a list of mappings";

/** The entries that a merge key brings; of two with one key the first wins. */
function mergedEntries(source: Located, wrong: () => void): Map<string, LocatedEntry> {
  const merged = new Map<string, LocatedEntry>();
  for (const map of source.kind === "list" ? source.items : [source]) {
    if (map.kind !== "map") wrong();
    else for (const [key, entry] of map.entries) if (!merged.has(key)) merged.set(key, entry);
  }
  return merged;
}

function isMergeKey(pair: Pair): boolean {
  return isPair(pair) && isScalar(pair.key) && pair.key.type === "PLAIN" && pair.key.source === "<<";
}

function keyText(key: unknown): string | null {
  if (!isScalar(key)) return null;
  const { value } = key;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
