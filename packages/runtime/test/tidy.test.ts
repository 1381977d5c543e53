import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";

import { describe, expect, test } from "vitest";

import { renderLayerLists } from "../../../scripts/agents-md.ts";
import { CLIENT_LIBRARIES, DOORS, isLibrary, LIBRARIES, MAX_FOLDERS, ROOMS } from "../../../scripts/layers.ts";
import { renderLintLayers } from "../../../scripts/lint-layers.ts";
import { layerFaults } from "./tidy/layering.ts";
import { isGenerated, isTest, namedBy, repositoryFiles, type RepositoryFile, ROOT, SRC } from "./tidy/repository.ts";

const files = repositoryFiles();
const written = files.filter((file) => !isGenerated(file.path));
const code = written.filter((file) => /\.[jt]sx?$/.test(file.path));
const sources = code.filter((file) => /^packages\/[^/]+\/src\//.test(file.path) && !isTest(file.path));
const tests = code.filter((file) => isTest(file.path));
const pages = written.filter((file) => file.path.endsWith(".md") && !file.path.startsWith(".changeset/"));

/** `path:line: text` of every line that fits the pattern. */
function linesLike(pattern: RegExp, among: readonly RepositoryFile[]): string[] {
  return among.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

describe("the drawing", () => {
  const rooms = new Set(
    files.filter((file) => file.path.startsWith(`${SRC}/`)).map((file) => file.path.split("/")[3] ?? ""),
  );

  test("only rooms of the drawing stand under packages/runtime/src", () => {
    expect([...rooms].filter((room) => !ROOMS.includes(room))).toEqual([]);
  });

  test("every room that is built has its door", () => {
    const doors = DOORS.filter((door) => files.some((file) => file.path.startsWith(`${SRC}/${door}/`)));
    expect(doors.filter((door) => !existsSync(join(ROOT, SRC, door, "index.ts")))).toEqual([]);
  });

  test("folders are not nested deeper than the limit", () => {
    const deep = sources.filter(({ path }) => path.startsWith(SRC) && path.split("/").length > 3 + MAX_FOLDERS + 1);
    expect(deep.map((file) => file.path)).toEqual([]);
  });

  test("rooms, doors and libraries are imported only where the drawing says", () => {
    expect(layerFaults(code)).toEqual([]);
  });

  test("every dependency has a place in the drawing", () => {
    const placed = LIBRARIES.flatMap((entry) => entry.libraries);
    const homeless = dependenciesOf("runtime").filter((name) => !placed.some((library) => isLibrary(library, name)));
    expect(homeless).toEqual([]);
    expect(dependenciesOf("client").filter((name) => !CLIENT_LIBRARIES.includes(name))).toEqual([]);
  });

  test("the lint rules and the lists in AGENTS.md are made from the drawing", () => {
    expect(read("scripts/generated/oxlint-layers.json"), "run `npm run gen`").toBe(renderLintLayers());
    expect(read("AGENTS.md"), "run `npm run gen`").toBe(renderLayerLists(read("AGENTS.md")));
  });

  function dependenciesOf(name: string): string[] {
    const manifest = JSON.parse(read(`packages/${name}/package.json`)) as Record<string, Record<string, string>>;
    return Object.keys({ ...manifest["dependencies"], ...manifest["optionalDependencies"] });
  }
});

describe("files", () => {
  test("none has more than 400 lines, and half of the sources less than 120", () => {
    expect(code.filter((file) => file.lines > 400).map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
    const lengths = sources.map((file) => file.lines).toSorted((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(120);
  });

  test("names are in kebab-case, and none is a place for odds and ends", () => {
    const names = code.map((file) => file.path).filter((path) => path.startsWith("packages/"));
    expect(names.filter((path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)+$/.test(basename(path)))).toEqual([]);
    expect(names.filter((path) => /^(?:utils?|helpers?|misc|common)\.ts$/.test(basename(path)))).toEqual([]);
  });

  test("every source is reached from an entry or a door, and every test helper is used", () => {
    expect(unreached()).toEqual([]);
    const helpers = code.filter(({ path }) => path.startsWith("packages/runtime/test/") && !isTest(path));
    const named = new Set(code.flatMap(namedBy));
    const scripts = read("package.json");
    expect(helpers.map((file) => file.path).filter((path) => !named.has(path) && !scripts.includes(path))).toEqual([]);
  });

  /** Sources that nothing leads to. */
  function unreached(): string[] {
    const byPath = new Map(sources.map((file) => [file.path, file]));
    const entries = [
      ...sources.map((file) => file.path).filter((path) => path.startsWith(`${SRC}/bin/`)),
      ...DOORS.map((door) => `${SRC}/${door}/index.ts`),
      "packages/client/src/index.ts",
    ];
    const reached = new Set<string>();
    const next = [...entries];
    for (let path = next.pop(); path !== undefined; path = next.pop()) {
      const file = byPath.get(path);
      if (file === undefined || reached.has(path)) continue;
      reached.add(path);
      next.push(...namedBy(file));
    }
    return [...byPath.keys()].filter((path) => !reached.has(path));
  }
});

describe("code", () => {
  test("exports are named, one by one", () => {
    expect(linesLike(/^export \*/, code)).toEqual([]);
    const inRooms = code.filter((file) => /^packages\/[^/]+\/(?:src|test)\//.test(file.path));
    expect(linesLike(/^export default\b|\bas default\b/, inRooms)).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(linesLike(/\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/, written)).toEqual([]);
  });

  test("tests are neither skipped nor focused nor repeated; what a machine lacks is `skipIf`, by name", () => {
    expect(linesLike(/\b(?:it|test|describe|suite)\.(?:only|skip|todo|fails)\b/, tests)).toEqual([]);
    expect(linesLike(/\bretry:/, [file("vitest.config.ts")])).toEqual([]);
  });

  test("tests wait for conditions, never for time to pass", () => {
    const naps = /setTimeout\(\s*(?:r|res|resolve|done|fulfil)\b|\bsetTimeout\b.*from "node:timers\/promises"/;
    expect(linesLike(naps, tests)).toEqual([]);
  });

  function file(path: string): RepositoryFile {
    return { path, text: read(path), lines: 0 };
  }
});

describe("pages", () => {
  test("decisions are numbered without gaps and titled by their number", () => {
    const records = pages
      .filter((page) => page.path.startsWith("docs/adr/"))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(records.length).toBeGreaterThan(0);
    records.forEach((page, index) => {
      const number = String(index + 1).padStart(4, "0");
      expect(basename(page.path)).toMatch(new RegExp(`^${number}-[a-z0-9-]+\\.md$`));
      expect(page.text).toMatch(new RegExp(`^# ${number}\\. \\S`));
      for (const part of ["Context", "Decision", "Consequences"]) expect(page.text).toContain(`\n## ${part}\n`);
    });
  });

  test("links lead somewhere", () => {
    const broken = pages.flatMap((page) =>
      [...page.text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1] ?? "")
        .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link))
        .map((link) => `${page.path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  function leadsSomewhere(page: RepositoryFile, link: string): boolean {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page.path : normalize(join(dirname(page.path), path));
    if (!existsSync(join(ROOT, target))) return false;
    return anchor === undefined || headings(read(target)).includes(anchor);
  }

  /** The anchors of a page, as code hosts make them. */
  function headings(text: string): string[] {
    return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? "")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    );
  }
});

// The brackets in these patterns keep this file from finding itself.
describe("what belongs to one machine stays out", () => {
  test("no paths of somebody's home or work folder", () => {
    expect(linesLike(/(?:^|[\s"'`(=:])\/(?:hom[e]\/[a-z]|User[s]\/|roo[t]\/|wor[k]\/)/, written)).toEqual([]);
  });

  test("no package registry", () => {
    expect(linesLike(/"resolved": "http/, [lock()])).toEqual([]);
    expect(linesLike(/https?:\/\/[^\s/]*registr[y][^\s/]*\//, files)).toEqual([]);
    expect(
      linesLike(
        /registr[y]\s*=/,
        files.filter((file) => basename(file.path) === ".npmrc"),
      ),
    ).toEqual([]);
  });

  function lock(): RepositoryFile {
    return { path: "package-lock.json", text: read("package-lock.json"), lines: 0 };
  }
});
