import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";

/** The repository's root folder. */
export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** Where the rooms are. */
export const SRC = "packages/runtime/src";

/** A file of the repository, by its path from the root. */
export interface RepositoryFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

/** Something that a file imports. */
export interface Import {
  readonly specifier: string;
  /** The file it means, from the root; null for packages and built-ins. */
  readonly target: string | null;
}

/** Every file that git knows or would add, except binary ones and files that are generated or locked. */
export function repositoryFiles(): RepositoryFile[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  return listed
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }))
    .filter(({ text }) => !text.includes("\0"))
    .map(({ path, text }) => ({ path, text, lines: text.split("\n").length - 1 }));
}

/** True for what a program wrote. */
export function isGenerated(path: string): boolean {
  return path.includes("/generated/") || path === "package-lock.json";
}

/** True for a file of tests. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** What a TypeScript file imports: static, dynamic, re-exported and type imports. */
export function importsOf(file: RepositoryFile): Import[] {
  const found = ts.preProcessFile(file.text, true, true).importedFiles.map((reference) => reference.fileName);
  return [...new Set(found)].map((specifier) => ({ specifier, target: resolveFrom(file.path, specifier) }));
}

/** Files that a file names by a relative path in quotes: its imports, and threads and programs that it starts. */
export function namedBy(file: RepositoryFile): string[] {
  return [...file.text.matchAll(/["'`](\.{1,2}\/[^"'`\s]+\.)(?:ts|js)["'`]/g)].flatMap((match) => {
    const target = resolveFrom(file.path, `${match[1] ?? ""}ts`);
    return target === null ? [] : [target];
  });
}

function resolveFrom(path: string, specifier: string): string | null {
  return specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : null;
}

/** The package that a specifier names: `@scope/name` of `@scope/name/file`. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
