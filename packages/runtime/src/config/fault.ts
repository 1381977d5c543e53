import { isAbsolute, relative, sep } from "node:path";

/** Where something stands in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

/** The way to a value inside a document: keys and list indexes. */
export type Path = readonly (string | number)[];

/**
 * Something wrong (or worth a notice) in what the node was told. Messages never hold a secret: values that came from
 * a variable or stand under a secret's key are not repeated.
 */
export interface Fault {
  /** The file as shown to people; null for a document that came by API, a variable or a flag. */
  readonly file: string | null;
  /** Null when the document has no text, as one that came by API. */
  readonly at: Position | null;
  readonly path: Path;
  readonly message: string;
}

/** `spec.tools[0].config`; empty for the root. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** `file:line:col path: message`, without the parts that are not known. */
export function formatFault(fault: Fault): string {
  const path = formatPath(fault.path);
  const text = path === "" ? fault.message : `${path}: ${fault.message}`;
  if (fault.file === null) return text;
  return fault.at === null ? `${fault.file} ${text}` : `${fault.file}:${fault.at.line}:${fault.at.col} ${text}`;
}

/** The faults as text, by file, line and column, each once. */
export function formatFaults(faults: readonly Fault[]): string[] {
  return [...new Set(sortFaults(faults).map(formatFault))];
}

/** By file, line and column; those without a place come first, in their own order. */
function sortFaults(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => {
    const files = (a.file ?? "").localeCompare(b.file ?? "", "en");
    if (files !== 0) return files;
    return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.col ?? 0) - (b.at?.col ?? 0);
  });
}

/** A path as people want to see it: relative to where they are when it is below, absolute otherwise. */
export function shownPath(path: string, cwd: string): string {
  const below = relative(cwd, path);
  return below === "" || below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below) ? path : below;
}
