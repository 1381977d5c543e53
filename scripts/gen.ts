/**
 * Writes every file that is made from another: `npm run gen`. With `--check` it writes nothing and fails when one is
 * not what it would write.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { editorSchemas } from "../packages/runtime/src/config/index.ts";
import { renderLayerLists } from "./agents-md.ts";
import { renderClientTypes, renderOpenApi } from "./client-types.ts";
import { renderLintLayers } from "./lint-layers.ts";
import { renderCli, renderErrors, renderMetrics } from "./reference-docs.ts";

/** A generated file, from the root of the repository, and how to make it (from what it is now, if that matters). */
interface Output {
  readonly file: string;
  readonly render: (current: string) => string | Promise<string>;
}

const OUTPUTS: readonly Output[] = [
  { file: "scripts/generated/oxlint-layers.json", render: renderLintLayers },
  { file: "AGENTS.md", render: renderLayerLists },
  { file: "packages/client/src/generated/openapi.json", render: renderOpenApi },
  { file: "packages/client/src/generated/api.ts", render: renderClientTypes },
  { file: "docs/reference/cli.md", render: renderCli },
  { file: "docs/reference/errors.md", render: renderErrors },
  { file: "docs/reference/metrics.md", render: renderMetrics },
  ...Object.entries(editorSchemas()).map(([name, schema]) => ({
    file: `config/schemas/${name}`,
    render: () => `${JSON.stringify(schema, null, 2)}\n`,
  })),
];

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const { file, render } of OUTPUTS) {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const current = existsSync(path) ? readFileSync(path, "utf8") : "";
  const wanted = await render(current);
  if (wanted === current) continue;
  stale.push(file);
  if (check) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, wanted);
}
if (stale.length === 0) console.log("Everything generated is current.");
else if (check) {
  console.error(`Not current: ${stale.join(", ")}. Run \`npm run gen\` and commit.`);
  process.exitCode = 1;
} else console.log(`Written: ${stale.join(", ")}.`);
