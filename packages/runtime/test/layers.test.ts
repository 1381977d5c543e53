import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { layerFaults } from "./tidy/layering.ts";
import { ROOT, SRC } from "./tidy/repository.ts";

/** A file, what it may import and what it may not. */
interface Case {
  readonly file: string;
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
  /** Refused only by the tidy test, which resolves imports; lint sees no more than their text. */
  readonly refusedByTidy?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    file: `${SRC}/core/time.ts`,
    allowed: ["./ids.ts"],
    refused: ["node:fs", "zod", "../wire/index.ts"],
    refusedByTidy: ["left-pad"],
  },
  {
    file: `${SRC}/core/ports/store.ts`,
    allowed: ["../ids.ts", "./runs.ts"],
    refused: ["node:fs", "../../store/index.ts"],
  },
  { file: `${SRC}/core/time.test.ts`, allowed: ["./time.ts", "vitest", "node:fs"], refused: ["zod"] },
  {
    file: `${SRC}/store/runs.ts`,
    allowed: [
      "../core/index.ts",
      "../core/ports/index.ts",
      "../telemetry/index.ts",
      "node:fs",
      "kysely",
      "./dialects/sqlite.ts",
    ],
    refused: [
      "../core/ids.ts",
      "../core/ports/store.ts",
      "../runs/index.ts",
      "better-sqlite3",
      "undici",
      "@hono/node-server/serve-static",
    ],
  },
  {
    file: `${SRC}/store/dialects/sqlite.ts`,
    allowed: ["../../core/index.ts", "../runs.ts", "better-sqlite3", "kysely"],
    refused: ["../../net/index.ts", "../../wire/bodies.ts", "pg"],
  },
  {
    file: `${SRC}/models/providers/ollama.ts`,
    allowed: ["ollama", "../../net/index.ts"],
    refused: ["undici", "../../tools/index.ts"],
  },
  { file: `${SRC}/models/router.ts`, allowed: ["../net/index.ts"], refused: ["ai", "@ai-sdk/openai"] },
  { file: `${SRC}/tools/schema.ts`, allowed: ["ajv", "../core/index.ts"], refused: ["zod", "../models/index.ts"] },
  { file: `${SRC}/tools/registry.ts`, allowed: ["./schema.ts"], refused: ["ajv", "../memory/index.ts"] },
  {
    file: `${SRC}/agents/patterns/react.ts`,
    allowed: ["../../core/index.ts", "./tool-calls.ts"],
    refused: ["node:crypto", "../registry.ts", "minijinja-js", "../../telemetry/index.ts"],
  },
  {
    file: `${SRC}/agents/registry.ts`,
    allowed: ["./patterns/index.ts", "../core/index.ts"],
    refused: ["minijinja-js"],
    refusedByTidy: ["./patterns/react.ts"],
  },
  {
    file: `${SRC}/runs/machine.ts`,
    allowed: ["../agents/index.ts", "../telemetry/index.ts"],
    refused: ["../store/index.ts", "../net/index.ts", "../agents/patterns/react.ts"],
  },
  {
    file: `${SRC}/runs/engines/temporal/workflow.ts`,
    allowed: ["@temporalio/workflow", "../../../agents/patterns/index.ts"],
    refused: ["node:fs", "../../../core/index.ts", "./worker.ts"],
  },
  {
    file: `${SRC}/mesh/view.ts`,
    allowed: ["./record.ts", "../core/index.ts"],
    refused: ["./gossip-loop.ts", "node:timers", "../net/index.ts"],
  },
  {
    file: `${SRC}/mesh/gossip-loop.ts`,
    allowed: ["./view.ts", "../net/index.ts", "node:timers"],
    refused: ["../routing/index.ts", "undici"],
  },
  {
    file: `${SRC}/doors/rest/runs.ts`,
    allowed: ["hono", "@hono/zod-openapi", "../errors.ts", "../../wire/index.ts"],
    refused: ["../../runs/index.ts", "../../models/index.ts", "../../store/index.ts"],
  },
  {
    file: `${SRC}/cli/status.ts`,
    allowed: ["@astromesh/client", "commander", "../wire/index.ts"],
    refused: ["../node/index.ts", "../core/time.ts", "kysely"],
  },
  {
    file: `${SRC}/node/wiring/store.ts`,
    allowed: ["../../store/index.ts", "../boot.ts"],
    refused: ["../../store/runs.ts", "../../cli/index.ts", "kysely"],
  },
  {
    file: `${SRC}/bin/astromeshd.ts`,
    allowed: ["../node/index.ts", "commander"],
    refused: ["../store/index.ts", "../node/boot.ts"],
  },
  {
    file: "packages/runtime/test/contract/run-store.ts",
    allowed: ["../../src/store/index.ts", "../../src/core/ports/index.ts", "kysely"],
    refused: ["../../src/store/runs.ts", "../../src/core/ids.ts"],
  },
  {
    file: "packages/client/src/index.ts",
    allowed: ["openapi-fetch", "./events.ts"],
    refused: ["../../runtime/src/wire/index.ts", "zod"],
  },
];

const STATEMENTS: Readonly<Record<string, string>> = {
  "import of a value": 'import { a } from "../runs/index.ts";',
  "import of a type": 'import type { A } from "../runs/index.ts";',
  "import for its effects": 'import "../runs/index.ts";',
  "re-export": 'export { a } from "../runs/index.ts";',
  "import()": 'export const a = await import("../runs/index.ts");',
};

const FOLDER_DOORS = ["core", "core/ports", "agents", "agents/patterns", "store", "runs", "node", "wire"].map(
  (door) => `${SRC}/${door}/index.ts`,
);

describe("lint", () => {
  const scratch = mkdtempSync(join(tmpdir(), "astromesh-layers-"));
  const settings = JSON.parse(readFileSync(join(ROOT, ".oxlintrc.json"), "utf8")) as Record<string, unknown>;
  write(".oxlintrc.json", JSON.stringify({ ...settings, $schema: undefined, options: undefined }));
  write(
    "scripts/generated/oxlint-layers.json",
    readFileSync(join(ROOT, "scripts/generated/oxlint-layers.json"), "utf8"),
  );
  for (const { file, allowed, refused } of CASES) write(file, importing([...allowed, ...refused]));
  Object.values(STATEMENTS).forEach((statement, index) => write(`${SRC}/store/statement-${index}.ts`, statement));
  write(`${SRC}/cli/values.ts`, 'import { a } from "../core/ports/index.ts"; export const b = a;');
  write(`${SRC}/cli/types.ts`, 'import type { A } from "../core/ports/index.ts"; export type B = A;');
  write(`${SRC}/net/left.ts`, 'import { right } from "./right.ts"; export const left = (): number => right();');
  write(`${SRC}/net/right.ts`, 'import { left } from "./left.ts"; export const right = (): number => left();');
  const found = lint();

  afterAll(() => rmSync(scratch, { recursive: true }));

  test.each(CASES)("$file", ({ file, allowed, refused }) => {
    const specifiers = [...allowed, ...refused];
    const lines = found.filter((entry) => entry.file === file && entry.rule === "eslint(no-restricted-imports)");
    expect(new Set(lines.map((entry) => specifiers[entry.line - 1]))).toEqual(new Set(refused));
    expect(lines.filter((entry) => !entry.help.includes("scripts/layers.ts"))).toEqual([]);
  });

  test.each(Object.keys(STATEMENTS))("sees an %s", (name) => {
    const file = `${SRC}/store/statement-${Object.keys(STATEMENTS).indexOf(name)}.ts`;
    expect(rulesAt(file)).toContain("eslint(no-restricted-imports)");
  });

  test("gives the CLI types of the ports and no values", () => {
    expect(rulesAt(`${SRC}/cli/values.ts`)).toContain("eslint(no-restricted-imports)");
    expect(rulesAt(`${SRC}/cli/types.ts`)).not.toContain("eslint(no-restricted-imports)");
  });

  test("refuses a cycle", () => {
    expect(rulesAt(`${SRC}/net/left.ts`)).toContain("import(no-cycle)");
  });

  function write(file: string, text: string): void {
    mkdirSync(join(scratch, dirname(file)), { recursive: true });
    writeFileSync(join(scratch, file), text);
  }

  function rulesAt(file: string): string[] {
    return found.filter((entry) => entry.file === file).map((entry) => entry.rule);
  }

  function lint(): { file: string; line: number; rule: string; help: string }[] {
    const run = spawnSync(process.execPath, [join(ROOT, "node_modules/oxlint/bin/oxlint"), "--format=json"], {
      cwd: scratch,
      encoding: "utf8",
    });
    const report = JSON.parse(run.stdout) as {
      diagnostics: { code: string; filename: string; help?: string; labels: { span: { line: number } }[] }[];
    };
    return report.diagnostics.map(({ code, filename, help, labels }) => ({
      file: filename,
      line: labels[0]?.span.line ?? 0,
      rule: code,
      help: help ?? "",
    }));
  }
});

describe("the tidy test", () => {
  test.each(CASES)("$file", ({ file, allowed, refused, refusedByTidy = [] }) => {
    const specifiers = [...allowed, ...refused, ...refusedByTidy];
    const doors = FOLDER_DOORS.map((path) => ({ path, text: "", lines: 0 }));
    const faults = layerFaults([{ path: file, text: importing(specifiers), lines: specifiers.length }, ...doors]);
    const expected = [...refused, ...refusedByTidy].map((specifier) => `${file} imports ${specifier}`);
    expect(faults.map((fault) => fault.split(": ")[0])).toEqual(expected);
  });

  test("sees imports that are dynamic or of types", () => {
    for (const statement of Object.values(STATEMENTS)) {
      expect(layerFaults([{ path: `${SRC}/store/runs.ts`, text: statement, lines: 1 }])).toHaveLength(1);
    }
  });
});

/** One import a line. */
function importing(specifiers: readonly string[]): string {
  return specifiers.map((specifier) => `import "${specifier}";\n`).join("");
}
