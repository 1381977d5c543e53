/**
 * `npm run bench`: measures the built node beside raw baselines on the same machine in the same run. Figures of one
 * machine say little; the ratios count, and the CPU time of a request is the steadiest of them. `--quick` takes fewer
 * and shorter rounds; `--only TEXT` runs the sections whose name holds the text; `--json` prints the figures for
 * programs. Subjects take turns, so that what the machine does besides hits all alike; the first turn does not count.
 *
 * - `runs`: a run of one model call through REST, durable, until its answer; against a proxy of 30 lines before the
 *   same fake model. The node is the built one, in a process of its own, as are the proxy and the model.
 * - `first token`: the same with a stream, until the first token; against the same stream through the proxy.
 * - `effects`: runs of ten tool calls of class `once` with no work of their own, through the engine and a SQLite store
 *   in this process (no HTTP, no model); against a thread that does nothing but append rows of 600 bytes and commit
 *   those that wait together, two of them for each effect, one after the other.
 * - `slow disk`: how late the node's main loop is while each flush takes 10 ms more (a library before fdatasync);
 *   the node's own figure of its last whole window of 10 s under load.
 * - `footprint`: from the start of the process until it serves; resident memory of an idle node.
 *
 * Beside other work the wall-clock figures mean nothing: a start of 0.6 s of CPU takes 1.5 s on a machine whose load
 * is four times its cores.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import { printFigures } from "./report.ts";
import type { Figure } from "./report.ts";
import { measureEffects } from "./sections/effects.ts";
import { measureFootprint } from "./sections/footprint.ts";
import { measureFirstToken, measureRuns } from "./sections/rest.ts";
import type { Effort } from "./sections/rest.ts";
import { measureSlowDisk } from "./sections/slow-disk.ts";
import { startSubjects } from "./subjects.ts";
import type { Subjects } from "./subjects.ts";

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" }, json: { type: "boolean" } },
});
const effort: Effort = options.quick === true ? { rounds: 2, roundMs: 1_000 } : { rounds: 5, roundMs: 3_000 };

const SECTIONS: Readonly<Record<string, (subjects: Subjects) => Promise<readonly Figure[]>>> = {
  runs: (subjects) => measureRuns(subjects, effort),
  "first token": (subjects) => measureFirstToken(subjects, effort),
  effects: () => measureEffects(effort),
  "slow disk": (subjects) => measureSlowDisk(subjects.provider.ollamaUrl),
  footprint: () => measureFootprint(effort.rounds),
};

const [load = 0] = loadavg();
if (load > 0.5) console.error(`The machine is busy (load ${load.toFixed(2)}): figures will be noisy.`);
const subjects = await startSubjects();
const figures: Figure[] = [];
try {
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (options.only !== undefined && !name.includes(options.only)) continue;
    console.error(`measuring ${name} ..`);
    figures.push(...(await measure(subjects)));
  }
} finally {
  await subjects.stop();
}
if (options.json === true) console.log(JSON.stringify(figures, null, 2));
else printFigures(figures);
const missed = figures.filter((figure) => figure.met === false).length;
console.error(missed === 0 ? "Every goal is met." : `${missed} of ${figures.length} figures miss their goal.`);
