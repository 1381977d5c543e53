/**
 * Writes every file that is made from another: `npm run gen`. With `--check` it writes nothing and fails when one is
 * not what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { renderLayerLists } from "./agents-md.ts";
import { renderLintLayers } from "./lint-layers.ts";

/** A generated file, from the root of the repository, and how to make it (from what it is now, if that matters). */
interface Output {
  readonly file: string;
  readonly render: (current: string) => string;
}

const OUTPUTS: readonly Output[] = [
  { file: "scripts/generated/oxlint-layers.json", render: renderLintLayers },
  { file: "AGENTS.md", render: renderLayerLists },
];

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const { file, render } of OUTPUTS) {
  const url = new URL(`../${file}`, import.meta.url);
  const current = readFileSync(url, "utf8");
  const wanted = render(current);
  if (wanted === current) continue;
  stale.push(file);
  if (!check) writeFileSync(url, wanted);
}
if (stale.length === 0) console.log("Everything generated is current.");
else if (check) {
  console.error(`Not current: ${stale.join(", ")}. Run \`npm run gen\` and commit.`);
  process.exitCode = 1;
} else console.log(`Written: ${stale.join(", ")}.`);
